import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** Of a folder, or of a file, and of everything in it: what others than its owner may do something with. */
export function openToOthers(path: string): string[] {
  const { mode } = statSync(path)
  const below = statSync(path).isDirectory() ? readdirSync(path).map((name) => join(path, name)) : []
  const own = (mode & 0o077) === 0 ? [] : [`${path} ${(mode & 0o777).toString(8)}`]
  return [...own, ...below.flatMap(openToOthers)]
}

/** Runs `work` under a umask; for what runs to its end before it returns a promise, and for what does not. */
export async function withUmask<T>(mask: number, work: () => T | Promise<T>): Promise<T> {
  const before = process.umask(mask)
  try {
    return await work()
  } finally {
    process.umask(before)
  }
}
