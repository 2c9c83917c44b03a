import { closeSync, fsyncSync, openSync, rmSync, statSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { messageOf } from '../../pipeline/common/errors.js'
import { writePrivateFile } from '../../pipeline/common/private-files.js'
import type { Archive } from '../archive/open-archive.js'

/** Where the last answer of an archive is kept, for `play` and `cut`. It goes when something of the archive is forgotten. */
export const lastAnswerFile = (archiveDir: string) => join(archiveDir, 'last-answer.json')

/**
 * Keeps an answer, without pictures of faces. An archive that is only read keeps none.
 * @param answer as JSON has it
 */
export function keepLastAnswer(
  { dir, database }: Pick<Archive, 'dir' | 'database'>,
  answer: object,
  notify: (notice: string) => void,
): void {
  if (database.readonly) return
  const withoutPictures = JSON.stringify(answer, (key, value: unknown) =>
    key === 'thumbnail' ? undefined : value,
  )
  try {
    writePrivateFile(lastAnswerFile(dir), withoutPictures)
  } catch (error) {
    notify(`the answer could not be kept for later commands: ${messageOf(error)}`)
  }
}

/** Overwrites and removes it. */
export function removeLastAnswer(archiveDir: string): void {
  const file = lastAnswerFile(archiveDir)
  const bytes = statSync(file, { throwIfNoEntry: false })?.size
  if (bytes === undefined) return
  const handle = openSync(file, 'r+')
  try {
    writeSync(handle, Buffer.alloc(bytes), 0, bytes, 0)
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
  rmSync(file, { force: true })
}
