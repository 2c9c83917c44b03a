import type { ArchiveRecipe } from '../store/meta.js'
import { CameoError } from '../../pipeline/common/errors.js'
import {
  readEncoderFile,
  type ContextFile,
  type EmbedderFile,
  type ExtraEncoders,
} from '../../pipeline/models/packs/encoder-file.js'
import { featuresOf, settingsSchema, type Feature, type Settings } from '../../pipeline/recipe/recipe.js'

/** How clips are processed, as a person asks for it. */
export interface RecipeOptions {
  /** Models: a name of the catalog, a JSON file, or several with a plus between them. */
  readonly pack?: string
  /** ONNX file of a head over the pooled embedding. */
  readonly head?: string
  /** JSON files of further embedders, whose embeddings of the same faces are stored too. */
  readonly embedder?: readonly string[]
  /** JSON files of image encoders, whose features of whole frames are stored for each segment. */
  readonly context?: readonly string[]
  /** Frames looked at each second of video, 0.01..60. Default: 4. */
  readonly fps?: number
  /** Look at frames by time, or only at key frames. Default: `fps`. */
  readonly sampling?: 'fps' | 'keyframes'
  /** Smallest face height to find, px of the clip, 12..2000. Default: 40. */
  readonly minFace?: number
  /** How many of the best faces of a track are embedded, 1..64. Default: 8. */
  readonly facesPerTrack?: number
  /** Each embedding is the mean of a face's and its mirror image's. Default: false. */
  readonly mirror?: boolean
  /** Keep the embeddings of mirror images beside those of the faces, for training. Default: false. */
  readonly keepMirrored?: boolean
  /** Length of the parts that long clips are split into, s. Default: 600. */
  readonly segment?: number
}

/** What is asked for, else what the archive has, else the defaults. */
export function chooseSettings(options: RecipeOptions, own: ArchiveRecipe | undefined): Settings {
  const base: Partial<Settings> = own?.settings ?? {}
  if (options.sampling === 'keyframes' && options.fps !== undefined)
    throw new CameoError('USAGE', 'a number of frames a second does not go with looking at key frames', {
      details: { remedy: 'choose-setting', between: 'sampling' },
    })
  const mirror = options.mirror ?? base.mirror
  const keepMirrored = options.keepMirrored ?? base.keepMirrored
  if (mirror === true && keepMirrored === true)
    throw new CameoError('USAGE', 'mirror images cannot be kept apart where embeddings are means of both', {
      details: { remedy: 'choose-setting', between: 'mirror' },
    })
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
 * The further embedders and context encoders that are asked for, else those that the archive has; what is said of one kind
 * leaves the other alone.
 * @throws USAGE where a file is of the other kind; else as `readEncoderFile` does
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
    `${source} is ${kind === 'embedder' ? 'an embedder' : 'a context encoder'}, as its "kind" says`,
    { details: { remedy: 'give-as', kind } },
  )

/** The JSON files of encoders by the digests of what they make, for the archive to remember. */
export function encoderFilesOf(encoders: ExtraEncoders, settings: Settings): ReadonlyMap<string, string> {
  const files = [...encoders.embedders, ...encoders.contexts]
  return new Map(featuresOf(encoders, settings).map(({ digest }, i) => [digest, files[i]?.source ?? '']))
}
