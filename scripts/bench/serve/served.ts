import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** A server in a process of its own, as people run it. */
export interface Served {
  readonly url: string
  readonly pid: number
  /** From its start until its first answer, s. */
  readonly startS: number
  /** Until searches are fast, s. */
  readonly ready: Promise<number>
  stop(): Promise<void>
}

/** @param args further options of `cameo serve` */
export async function startServed(archive: string, ...args: readonly string[]): Promise<Served> {
  const cameo = fileURLToPath(new URL('../../cameo.js', import.meta.url))
  const begun = performance.now()
  const elapsedS = () => (performance.now() - begun) / 1000
  const child = spawn(
    process.execPath,
    [cameo, 'serve', '--archive', archive, '--port', '0', '--json', ...args],
    { stdio: ['ignore', 'pipe', 'ignore'] },
  )
  const lines = createInterface({ input: child.stdout })
  const exited = once(child, 'exit')
  const line = await Promise.race([once(lines, 'line'), exited.then(() => undefined)])
  if (line === undefined) throw new Error('the server did not start')
  const { url } = JSON.parse(String(line[0])) as { url: string }
  await fetch(`${url}/healthz`)
  return {
    ...{ url, pid: child.pid ?? 0, startS: elapsedS() },
    ready: whenReady(url).then(elapsedS),
    async stop() {
      child.kill('SIGTERM')
      await exited
    },
  }
}

async function whenReady(url: string): Promise<void> {
  while (!(await fetch(`${url}/readyz`)).ok) await new Promise((resolve) => setTimeout(resolve, 50))
}
