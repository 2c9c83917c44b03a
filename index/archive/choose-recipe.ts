import type { ArchiveRecipe } from '../store/meta.js'
import { CameoError } from '../../pipeline/common/errors.js'
import {
  readEncoderFile,
  type ContextFile,
  type EmbedderFile,
  type ExtraEncoders,
} from '../../pipeline/models/packs/encoder-file.js'
import { featuresOf, settingsSchema, type Feature, type Settings } from '../../pipeline/recipe/recipe.js'

/** Options for processing clips, as given by a person. */
export interface RecipeOptions {
  /** Models: a name from the catalog, a JSON file, or several of these joined with a plus sign. */
  readonly pack?: string
  /** ONNX file of a head over the pooled embedding. */
  readonly head?: string
  /** JSON files of further embedders. Their embeddings of the same faces are stored too. */
  readonly embedder?: readonly string[]
  /** JSON files of image encoders. Their features of whole frames are stored for each segment. */
  readonly context?: readonly string[]
  /** Examined frames per second of video, 0.01..60. Default: 4. */
  readonly fps?: number
  /** Sample frames by time, or only key frames. Default: `fps`. */
  readonly sampling?: 'fps' | 'keyframes'
  /** Smallest face height to detect, in pixels of the clip, 12..2000. Default: 40. */
  readonly minFace?: number
  /** Number of best faces per track that are embedded, 1..64. Default: 8. */
  readonly facesPerTrack?: number
  /** Store the mean embedding of a face and its mirror image. Default: false. */
  readonly mirror?: boolean
  /** Also store the embeddings of mirror images, for training. Default: false. */
  readonly keepMirrored?: boolean
  /** Length of the segments that long clips are split into, in seconds. Default: 600. */
  readonly segment?: number
}

/** The requested settings. Missing ones come from the archive, then from the defaults. */
export function chooseSettings(options: RecipeOptions, own: ArchiveRecipe | undefined): Settings {
  const base: Partial<Settings> = own?.settings ?? {}
  if (options.sampling === 'keyframes' && options.fps !== undefined)
    throw new CameoError('USAGE', 'a frame rate cannot be combined with key frame sampling', {
      details: { remedy: 'choose-setting', between: 'sampling' },
    })
  const mirror = options.mirror ?? base.mirror
  const keepMirrored = options.keepMirrored ?? base.keepMirrored
  if (mirror === true && keepMirrored === true)
    throw new CameoError(
      'USAGE',
      'mirror images cannot be kept separately if each embedding is the mean of both',
      {
        details: { remedy: 'choose-setting', between: 'mirror' },
      },
    )
  const ownFps = base.sampling?.kind === 'fps' ? base.sampling.fps : undefined
  const sampling =
    options.sampling === 'keyframes'
      ? { kind: 'keyframes' as const }
      : options.fps !== undefined || options.sampling === 'fps'
        ? { kind: 'fps' as const, fps: options.fps ?? ownFps ?? 4 }
        : base.sampling
  return settingsSchema.parse({
    ...base,
    sampling,
    minFacePx: options.minFace ?? base.minFacePx,
    facesPerTrack: options.facesPerTrack ?? base.facesPerTrack,
    mirror,
    ...(keepMirrored === true ? { keepMirrored } : {}),
    segmentS: options.segment ?? base.segmentS,
  })
}

/**
 * The requested further embedders and context encoders, or the ones of the archive if none are requested. Each kind
 * is chosen independently.
 * @throws USAGE if a file is of the other kind; and the errors of `readEncoderFile`
 */
export async function chooseEncoders(
  { embedder, context }: Pick<RecipeOptions, 'embedder' | 'context'>,
  own: ArchiveRecipe | undefined,
): Promise<ExtraEncoders> {
  const ownOf = (wanted: Feature['kind']) =>
    (own?.features ?? []).flatMap(({ kind, source }) => (kind === wanted ? (source ?? []) : []))
  const embedders: EmbedderFile[] = []
  for (const source of embedder ?? ownOf('embedder')) {
    const file = await readEncoderFile(source)
    if (file.kind !== 'embedder') throw wrongKind(source, 'context')
    embedders.push(file)
  }
  const contexts: ContextFile[] = []
  for (const source of context ?? ownOf('context')) {
    const file = await readEncoderFile(source)
    if (file.kind !== 'context') throw wrongKind(source, 'embedder')
    contexts.push(file)
  }
  return { embedders, contexts }
}

const wrongKind = (source: string, kind: Feature['kind']) =>
  new CameoError(
    'USAGE',
    `${source} is ${kind === 'embedder' ? 'an embedder' : 'a context encoder'} according to its "kind"`,
    { details: { remedy: 'give-as', kind } },
  )

/** The JSON files of encoders, keyed by the digests of their features. The archive stores them. */
export function encoderFilesOf(encoders: ExtraEncoders, settings: Settings): ReadonlyMap<string, string> {
  const files = [...encoders.embedders, ...encoders.contexts]
  return new Map(featuresOf(encoders, settings).map(({ digest }, i) => [digest, files[i]?.source ?? '']))
}
