import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { privateFileMode } from '../../pipeline/common/private-files.js'
import type { ArchiveMacs } from './archive-keys.js'
import { sameBytes, type ChainEnd } from './chain.js'

export const auditHeadFileName = 'audit.head'

/**
 * The end of the log, kept in a file of its own: a database that was replaced by an earlier copy is noticed. Before rows
 * are committed, the file has the end before them and the end after them; later only the latter.
 */
export interface HeadFile {
  readonly end: ChainEnd
  /** Rows up to here may not be committed yet. */
  readonly next?: ChainEnd | undefined
}

const endSchema = z.object({ count: z.int().min(0), hash: z.string().regex(/^[0-9a-f]{64}$/) })
const fileSchema = z.object({
  version: z.literal(1),
  end: endSchema,
  next: endSchema.optional(),
  mac: z.string(),
})

export type HeadFileState = { readonly state: 'missing' } | { readonly state: 'damaged' } | ReadHeadFile
export type ReadHeadFile = { readonly state: 'read'; readonly head: HeadFile }

const written = ({ count, hash }: ChainEnd) => ({ count, hash: hash.toString('hex') })
const read = ({ count, hash }: z.infer<typeof endSchema>): ChainEnd => ({
  count,
  hash: Buffer.from(hash, 'hex'),
})

/** The file has one size, so that it is replaced in its place by a single write. */
const fileBytes = 512

/** Another process may be writing: then the next look sees the whole. */
const mostLooks = 3

export function readHeadFile(archiveDir: string, macs: ArchiveMacs): HeadFileState {
  let state = lookAt(archiveDir, macs)
  for (let looks = 1; state.state === 'damaged' && looks < mostLooks; looks++)
    state = lookAt(archiveDir, macs)
  return state
}

function lookAt(archiveDir: string, macs: ArchiveMacs): HeadFileState {
  let text: string
  try {
    text = readFileSync(join(archiveDir, auditHeadFileName), 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return { state: 'missing' }
    throw error
  }
  try {
    const { end, next, mac } = fileSchema.parse(JSON.parse(text))
    const head = { end: read(end), next: next === undefined ? undefined : read(next) }
    return sameBytes(macOf(macs, head), Buffer.from(mac, 'hex'))
      ? { state: 'read', head }
      : { state: 'damaged' }
  } catch {
    return { state: 'damaged' }
  }
}

/**
 * Makes the file, and waits until the disk has it: a log without it counts as tampered with. Only the process that holds the
 * write lock of the log may do this.
 */
export function makeHeadFile(archiveDir: string, macs: ArchiveMacs, head: HeadFile): void {
  const file = join(archiveDir, auditHeadFileName)
  const temporary = `${file}.new`
  rmSync(temporary, { force: true })
  const handle = openSync(temporary, 'wx', privateFileMode)
  try {
    writeSync(handle, contentOf(macs, head))
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
  renameSync(temporary, file)
  flushFolder(archiveDir)
}

/**
 * Writes the end into the file that is there. A process that is killed leaves the old end or the new one: the file is one
 * sector of a disk. Only the process that holds the write lock of the log may do this.
 */
export function writeHeadFile(archiveDir: string, macs: ArchiveMacs, head: HeadFile): void {
  const handle = openSync(join(archiveDir, auditHeadFileName), 'r+')
  try {
    writeSync(handle, contentOf(macs, head), 0)
  } finally {
    closeSync(handle)
  }
}

function contentOf(macs: ArchiveMacs, head: HeadFile): string {
  const content = JSON.stringify({
    version: 1,
    end: written(head.end),
    ...(head.next === undefined ? {} : { next: written(head.next) }),
    mac: macOf(macs, head).toString('hex'),
  })
  return `${content.padEnd(fileBytes - 1)}\n`
}

function flushFolder(dir: string): void {
  const handle = openSync(dir, 'r')
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}

const macOf = (macs: ArchiveMacs, { end, next }: HeadFile): Buffer =>
  macs.mac('head', JSON.stringify(['file', written(end), next === undefined ? null : written(next)]))
