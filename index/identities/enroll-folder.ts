import { readdir, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { CameoError, messageOf } from '../../pipeline/common/errors.js'
import { oneLine } from '../../pipeline/common/visible-text.js'
import { throwIfStopped } from '../../pipeline/common/stop.js'
import type { Caller } from '../../pipeline/stages/caller.js'
import { withModels, type ArchiveModels } from '../archive/archive-models.js'
import type { FilledArchive } from '../archive/open-archive.js'
import { kindOfFile } from '../queries/query-file.js'
import { enrollWith, type EnrolReport, type EnrolRequest } from './enroll-faces.js'
import { parseName } from './identities.js'

export interface EnrolFolderRequest extends Pick<EnrolRequest, 'force' | 'keepPhoto' | 'device' | 'signal'> {
  /** It has one folder per person, which bears the name and holds photos and clips of the person. */
  readonly folder: string
}

/** What became of the folder of a person. */
export interface EnrolledFolder {
  /** Folder of the person. */
  readonly folder: string
  /** Undefined if nothing could be enrolled because of `error`. */
  readonly report: EnrolReport | undefined
  readonly error: CameoError | undefined
}

/**
 * Enrols everyone who has a folder. What cannot be used does not affect the rest.
 * @throws USAGE if it is not a folder, or has no folders; INTERRUPTED, then the people before stay enrolled; and the
 * errors of `ArchiveModels.stages`
 */
export async function enrollFolder(
  opened: FilledArchive,
  request: EnrolFolderRequest,
  caller: Caller,
): Promise<EnrolledFolder[]> {
  return withModels(opened, { device: request.device, embedders: 'all' }, caller, (models) =>
    enrollFolderWith({ opened, models }, request, caller),
  )
}

/** The same with models that are already loaded. They must include all embedders. */
export async function enrollFolderWith(
  parts: { readonly opened: FilledArchive; readonly models: ArchiveModels },
  request: EnrolFolderRequest,
  caller: Caller,
): Promise<EnrolledFolder[]> {
  const { folder, signal, ...options } = request
  const people = await foldersIn(resolve(folder))
  await parts.models.stages()
  const enrolled: EnrolledFolder[] = []
  for (const [i, person] of people.entries()) {
    throwIfStopped(signal, 'the enrolment')
    caller.progress({ task: 'enrol people', done: i, total: people.length, subject: person })
    enrolled.push(
      await enrollPerson(parts, join(resolve(folder), person), person, { ...options, signal }, caller),
    )
  }
  caller.progress({ task: 'enrol people', done: people.length, total: people.length })
  return enrolled
}

async function enrollPerson(
  parts: Parameters<typeof enrollWith>[0],
  folder: string,
  name: string,
  options: Omit<EnrolRequest, 'name' | 'files' | 'face'>,
  caller: Caller,
): Promise<EnrolledFolder> {
  try {
    const files = await usableFiles(folder)
    if (files.length === 0)
      throw new CameoError('IMAGE_UNREADABLE', `the folder ${oneLine(folder)} has no photos and no clips`)
    const report = await enrollWith(parts, { ...options, name: parseName(name), files }, caller)
    return { folder, report, error: undefined }
  } catch (error) {
    if (!(error instanceof CameoError) || !isAboutPerson(error)) throw error
    return { folder, report: undefined, error }
  }
}

/** Other errors would come again for everyone. */
const isAboutPerson = ({ code }: CameoError) =>
  ['FACES_DISAGREE', 'IMAGE_UNREADABLE', 'USAGE', 'NAME_UNKNOWN'].includes(code)

/** Names of the folders in a folder, sorted. @throws USAGE */
async function foldersIn(folder: string): Promise<string[]> {
  try {
    const names = (await readdir(folder)).filter((name) => !name.startsWith('.')).sort()
    const areFolders = await Promise.all(
      names.map(async (name) => (await stat(join(folder, name))).isDirectory()),
    )
    const folders = names.filter((_, i) => areFolders[i] === true)
    if (folders.length > 0) return folders
  } catch (cause) {
    throw new CameoError('USAGE', `the folder ${oneLine(folder)} cannot be read (${messageOf(cause)})`, {
      cause,
    })
  }
  throw new CameoError(
    'USAGE',
    `${oneLine(folder)} has no folders: each person needs one that bears the name`,
  )
}

/** Photos and clips of a folder, sorted. Other files, such as notes, are left out. */
async function usableFiles(folder: string): Promise<string[]> {
  const files: string[] = []
  try {
    for (const entry of (await readdir(folder)).sort()) {
      const path = join(folder, entry)
      if (entry.startsWith('.') || !(await stat(path)).isFile()) continue
      if ((await kindOfFile(path)) !== 'unknown') files.push(path)
    }
  } catch (cause) {
    throw new CameoError(
      'IMAGE_UNREADABLE',
      `the folder ${oneLine(folder)} cannot be read (${messageOf(cause)})`,
      { cause },
    )
  }
  return files
}
