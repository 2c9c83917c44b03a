import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** Files and folders at and below the path that users other than the owner can access. */
export function openToOthers(path: string): string[] {
  const { mode } = statSync(path)
  const below = statSync(path).isDirectory() ? readdirSync(path).map((name) => join(path, name)) : []
  const own = (mode & 0o077) === 0 ? [] : [`${path} ${(mode & 0o777).toString(8)}`]
  return [...own, ...below.flatMap(openToOthers)]
}

/** Runs `work` under a umask, for synchronous and asynchronous work. */
export async function withUmask<T>(mask: number, work: () => T | Promise<T>): Promise<T> {
  const before = process.umask(mask)
  try {
    return await work()
  } finally {
    process.umask(before)
  }
}
