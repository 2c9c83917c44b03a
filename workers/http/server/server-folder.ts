import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { makePrivateFolder } from '../../../pipeline/common/private-files.js'

/** A private folder for the temporary files of one server. */
export class ServerFolder {
  readonly path: string
  readonly #onExit = () => this.remove()

  /** First deletes what killed servers on this host left there. */
  constructor(parent = tmpdir()) {
    mkdirSync(parent, { recursive: true })
    // The time of its start tells a process from an earlier one with the same id, as in a container.
    const own = `${process.pid}-${Math.round(performance.timeOrigin)}`
    const prefix = `cameo-serve-${hostname()}-`
    for (const name of readdirSync(parent)) if (isLeft(name, prefix, own)) removeFolder(join(parent, name))
    this.path = mkdtempSync(join(parent, `${prefix}${own}-`))
    process.on('exit', this.#onExit)
  }

  /** Makes a private folder within. */
  folder(name: string): string {
    const path = join(this.path, name)
    makePrivateFolder(path)
    return path
  }

  remove(): void {
    process.off('exit', this.#onExit)
    removeFolder(this.path)
  }
}

const removeFolder = (path: string) => rmSync(path, { recursive: true, force: true })

function isLeft(name: string, prefix: string, own: string): boolean {
  const found = name.startsWith(prefix) ? /^(\d+)-\d+-/.exec(name.slice(prefix.length)) : null
  if (found === null || name.startsWith(`${prefix}${own}-`)) return false
  const pid = Number(found[1])
  return pid === process.pid || !isAlive(pid)
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
