/** Counts agreements in blocks that it shares with the main thread; see `scan.ts`. */
import { parentPort, receiveMessageOnPort } from 'node:worker_threads'
import { AgreementCounter } from './agreements.js'
import { bindKernels, compileKernels } from './kernels.js'
import { claimBlock, rowsOfBlock, shared, type ScanMessage } from './scan.js'

const port = parentPort
if (port === null) throw new Error('this module runs in a worker thread')

port.once('message', (first: ScanMessage) => {
  if (!('control' in first)) throw new Error('the first message has the shared array')
  const control = new Int32Array(first.control)
  const module = compileKernels(first.floats)
  const counters: AgreementCounter[] = []
  const receiveBlocks = (): void => {
    for (let received = receiveMessageOnPort(port); received; received = receiveMessageOnPort(port)) {
      const block = received.message as ScanMessage
      if ('memory' in block)
        counters.push(
          new AgreementCounter(bindKernels(module, block.memory), block.memory.buffer, block.layout),
        )
    }
  }
  for (;;) {
    const round = Atomics.load(control, shared.round)
    receiveBlocks()
    const query = {
      places: new Uint32Array(control.subarray(shared.places)),
      floor: control[shared.floor] ?? 0,
    }
    const claim = (): number | undefined => claimBlock(control, round, counters.length)
    for (let i = claim(); i !== undefined; i = claim()) {
      counters[i]?.count(query, 0, rowsOfBlock(i, Atomics.load(control, shared.rows)))
      Atomics.add(control, shared.counted, 1)
      Atomics.notify(control, shared.counted)
    }
    Atomics.wait(control, shared.round, round)
  }
})
