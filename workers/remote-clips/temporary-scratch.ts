import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'

/**
 * A folder for fetched clips that is deleted when this process ends. First deletes the folders of killed
 * processes on this host: a worker that is killed repeatedly would fill the disk.
 */
export function temporaryScratch(parent = tmpdir()): string {
  mkdirSync(parent, { recursive: true })
  const prefix = `cameo-scratch-${hostname()}-`
  for (const name of readdirSync(parent)) {
    const [, pid] = name.startsWith(prefix) ? (/^(\d+)-/.exec(name.slice(prefix.length)) ?? []) : []
    // In a container the process has the same id after each start.
    if (pid !== undefined && (Number(pid) === process.pid || !isAlive(Number(pid))))
      rmSync(join(parent, name), { recursive: true, force: true })
  }
  const dir = mkdtempSync(join(parent, `${prefix}${process.pid}-`))
  process.on('exit', () => rmSync(dir, { recursive: true, force: true }))
  return dir
}

function isAlive(pid: number): boolean {
  try {
    // Signal 0 only tests whether the process exists.
    process.kill(pid, 0)
    return true
  } catch (error) {
    // The process exists, but belongs to another user.
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}
