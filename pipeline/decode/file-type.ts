import type { FileTypeResult } from 'file-type'

/** The library is loaded when the first file is looked at: most commands look at none. */
const load = () => import('file-type')

/**
 * What a file holds, by its first bytes. Undefined if they are of no known type.
 * @throws an error of the library if they look like a known type and cannot be parsed
 */
export async function fileTypeOf(head: Uint8Array): Promise<FileTypeResult | undefined> {
  const { fileTypeFromBuffer } = await load()
  return fileTypeFromBuffer(head)
}

/** What the file holds. Undefined if it is of no known type or cannot be read or parsed. */
export async function fileTypeAt(path: string): Promise<FileTypeResult | undefined> {
  const { fileTypeFromFile } = await load()
  return fileTypeFromFile(path).catch(() => undefined)
}
