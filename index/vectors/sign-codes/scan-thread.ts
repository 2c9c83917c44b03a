/** A thread that searches blocks shared with the main thread; see `scan.ts`. */
import { parentPort, receiveMessageOnPort } from 'node:worker_threads'
import { CodeSearcher } from './code-search.js'
import { comparedPlaces } from './codes.js'
import { bindKernels } from './kernels.js'
import { claimBlock, rowsOfBlock, shared, wordsIn, type ScanMessage } from './scan.js'

const port = parentPort
if (port === null) throw new Error('this module runs in a worker thread')

port.once('message', (first: ScanMessage) => {
  if (!('control' in first)) throw new Error('the first message must contain the shared array')
  const control = new Int32Array(first.control)
  const blocks: CodeSearcher[] = []
  const receiveBlocks = (): void => {
    for (let received = receiveMessageOnPort(port); received; received = receiveMessageOnPort(port)) {
      const block = received.message as ScanMessage
      if ('memory' in block)
        blocks.push(new CodeSearcher(bindKernels(block.memory), block.memory.buffer, block.layout))
    }
  }
  for (;;) {
    const round = Atomics.load(control, shared.round)
    receiveBlocks()
    const query = {
      places: new Uint32Array(control.subarray(shared.places, shared.places + comparedPlaces)),
      words: wordsIn(control).slice(),
      floor: control[shared.floor] ?? 0,
    }
    const claim = (): number | undefined => claimBlock(control, round, blocks.length)
    for (let i = claim(); i !== undefined; i = claim()) {
      blocks[i]?.search(query, rowsOfBlock(i, Atomics.load(control, shared.rows)))
      Atomics.add(control, shared.searched, 1)
      Atomics.notify(control, shared.searched)
    }
    Atomics.wait(control, shared.round, round)
  }
})
