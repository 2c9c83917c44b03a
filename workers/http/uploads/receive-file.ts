import { createHash } from 'node:crypto'
import { open, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { CameoError } from '../../../pipeline/common/errors.js'
import { privateFileMode } from '../../../pipeline/common/private-files.js'
import { headBytes, type Content, type UploadKind } from './content-kind.js'

export interface ReceiveOptions {
  /** An empty folder for the file. */
  readonly folder: string
  /** Finds out what the file holds. @throws if it is refused */
  readonly sniff: (head: Buffer) => Content | Promise<Content>
  readonly mostBytes: Readonly<Record<UploadKind, number>>
  /** Called with the number of further bytes before they are written. @throws if there is no room for them */
  readonly take: (bytes: number) => void
}

/** A file that arrived. */
export interface ReceivedFile {
  readonly path: string
  readonly kind: UploadKind
  readonly bytes: number
  /** Hex. */
  readonly sha256: string
}

/**
 * Writes a file to the disk while it arrives. It is refused as soon as its first bytes tell what it is, or as it grows too large.
 * @throws UPLOAD_TOO_LARGE; errors of `sniff` and `take`. Nothing is left then
 */
export async function receiveFile(
  source: AsyncIterable<Buffer>,
  { folder, sniff, mostBytes, take }: ReceiveOptions,
): Promise<ReceivedFile> {
  const arriving = join(folder, 'arriving')
  const file = await open(arriving, 'wx', privateFileMode)
  const hash = createHash('sha256')
  const head: Buffer[] = []
  let content: Content | undefined
  let bytes = 0
  try {
    for await (const chunk of source) {
      take(chunk.length)
      bytes += chunk.length
      if (content === undefined) head.push(chunk)
      if (content === undefined && bytes >= headBytes) content = await sniff(headOf(head))
      if (bytes > (content === undefined ? Infinity : mostBytes[content.kind]))
        throw tooLarge(content, mostBytes)
      hash.update(chunk)
      await file.writeFile(chunk)
    }
    content ??= await sniff(headOf(head))
    if (bytes > mostBytes[content.kind]) throw tooLarge(content, mostBytes)
  } catch (error) {
    await rm(arriving, { force: true })
    throw error
  } finally {
    await file.close()
  }
  const path = join(folder, `${names[content.kind]}.${content.extension}`)
  await rename(arriving, path)
  return { path, kind: content.kind, bytes, sha256: hash.digest('hex') }
}

/** Messages show these names. */
const names: Readonly<Record<UploadKind, string>> = { image: 'photo', clip: 'clip', list: 'list' }

const headOf = (chunks: readonly Buffer[]) => Buffer.concat(chunks).subarray(0, headBytes)

function tooLarge(content: Content | undefined, mostBytes: ReceiveOptions['mostBytes']): CameoError {
  const { kind } = content ?? { kind: 'clip' as const }
  return new CameoError(
    'UPLOAD_TOO_LARGE',
    `the ${names[kind]} is larger than the ${Math.round(mostBytes[kind] / 1e6)} MB that are allowed`,
  )
}
