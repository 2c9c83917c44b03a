import type { FileTypeResult } from 'file-type'

/** The library is loaded when the first file is looked at: most commands look at none. */
const load = () => import('file-type')

/** What a file holds, by its first bytes. Undefined if they are of no known type, or end before it can be determined. */
export async function fileTypeOf(head: Uint8Array): Promise<FileTypeResult | undefined> {
  const { fileTypeFromBuffer } = await load()
  return fileTypeFromBuffer(head).catch(() => undefined)
}

/** The same of a file. Undefined, too, if it cannot be read. */
export async function fileTypeAt(path: string): Promise<FileTypeResult | undefined> {
  const { fileTypeFromFile } = await load()
  return fileTypeFromFile(path).catch(() => undefined)
}
