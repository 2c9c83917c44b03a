import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'

/**
 * A folder for fetched clips that goes when this process ends. What processes of this host left that were killed goes first: a
 * worker that is killed again and again would fill the disk.
 */
export function temporaryScratch(parent = tmpdir()): string {
  mkdirSync(parent, { recursive: true })
  const prefix = `cameo-scratch-${hostname()}-`
  for (const name of readdirSync(parent)) {
    const [, pid] = name.startsWith(prefix) ? (/^(\d+)-/.exec(name.slice(prefix.length)) ?? []) : []
    // A container's process has the same id after each start.
    if (pid !== undefined && (Number(pid) === process.pid || !isAlive(Number(pid))))
      rmSync(join(parent, name), { recursive: true, force: true })
  }
  const dir = mkdtempSync(join(parent, `${prefix}${process.pid}-`))
  process.on('exit', () => rmSync(dir, { recursive: true, force: true }))
  return dir
}

function isAlive(pid: number): boolean {
  try {
    // Signal 0 only asks.
    process.kill(pid, 0)
    return true
  } catch (error) {
    // Someone else's process lives, too.
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}
