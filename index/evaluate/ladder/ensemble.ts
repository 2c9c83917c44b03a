import { dirname, resolve } from 'node:path'
import { z } from 'zod'
import { CameoError, messageOf } from '../../../pipeline/common/errors.js'
import { readJsonFile } from '../../../pipeline/common/json-file.js'
import { headSettingsSchema, type HeadSettings } from '../../../pipeline/training/train-head.js'
import { withColumns, type EvaluationSet } from '../datasets/evaluation-set.js'

/**
 * A fold: every `of`-th gallery clip of an identity with a face, starting with the `leave`-th, is not used for
 * training.
 */
export interface Fold {
  readonly leave: number
  readonly of: number
}

/** A head of an ensemble, with its training settings. */
export interface EnsembleMember {
  /** Absolute path of the trained head. */
  readonly file: string
  readonly settings: HeadSettings
  /** Names of the embedders with concatenated embeddings. Default: the pack's own embedder. */
  readonly embedders?: readonly string[] | undefined
  readonly fold?: Fold | undefined
  /** Weight of its scores in the ensemble. */
  readonly weight: number
}

const memberSchema = z.strictObject({
  file: z.string().min(1),
  embedders: z.array(z.string().min(1)).min(1).optional(),
  fold: z.string().optional(),
  weight: z.number().positive().default(1),
  /** Overrides of the common settings. */
  settings: z.record(z.string(), z.unknown()).default({}),
})

const ensembleSchema = z.strictObject({ heads: z.array(memberSchema).min(1).max(100) })

/**
 * Reads a JSON file that declares an ensemble:
 *
 * { "heads": [
 * { "file": "a.onnx" },
 * { "file": "b.onnx", "embedders": ["lite", "mobilefacenet"], "fold": "1/5", "settings": { "loss": "cosface" },
 * "weight": 2 }
 * ] }
 *
 * File paths are relative to it. A head without a seed uses the seed of `base` plus its position.
 * @throws ENSEMBLE_INVALID
 */
export function readEnsemble(file: string, base: HeadSettings): EnsembleMember[] {
  const refuse = (why: string, cause?: unknown) =>
    new CameoError('ENSEMBLE_INVALID', `${file} is not a valid ensemble: ${why}`, { cause })
  let json: unknown
  try {
    json = readJsonFile(file)
  } catch (error) {
    throw refuse(messageOf(error), error)
  }
  const parsed = ensembleSchema.safeParse(json)
  if (!parsed.success) throw refuse(`\n${z.prettifyError(parsed.error)}`)
  const { heads } = parsed.data
  const files = heads.map((head) => resolve(dirname(file), head.file))
  if (new Set(files).size < files.length) throw refuse('two of its heads have the same file')
  return heads.map(({ embedders, fold, weight, settings: own }, at) => {
    const settings = headSettingsSchema.safeParse({ ...base, seed: base.seed + at, ...own })
    if (!settings.success)
      throw refuse(`the settings of head ${at + 1} are invalid:\n${z.prettifyError(settings.error)}`)
    const parsedFold = fold === undefined ? undefined : parseFold(fold)
    if (fold !== undefined && parsedFold === undefined)
      throw refuse(`the fold "${fold}" of head ${at + 1} is invalid: "2/5" leaves out the second of five`)
    return { file: files[at] ?? '', settings: settings.data, embedders, fold: parsedFold, weight }
  })
}

/** Parses a fold: `2/5` leaves out the second of five. Undefined for an invalid text. */
export function parseFold(text: string): Fold | undefined {
  const [, leave, of] = /^(\d{1,3})\/(\d{1,3})$/.exec(text) ?? []
  const fold = { leave: Number(leave), of: Number(of) }
  return fold.leave >= 1 && fold.of >= 2 && fold.leave <= fold.of ? fold : undefined
}

/**
 * The training set of a member: the embeddings that it uses, without its fold. An identity keeps at least one clip.
 * @throws EMBEDDER_UNKNOWN if the set has no embedder with a given name
 */
export function setOfMember(
  set: EvaluationSet,
  { embedders, fold }: Pick<EnsembleMember, 'embedders' | 'fold'>,
): EvaluationSet {
  const [own] = set.features.columns
  if (own === undefined) throw new Error('a set needs the embeddings of at least one embedder')
  const columns = (embedders ?? [own.name]).map((wanted) => {
    const column = set.features.columns.find(({ name }) => name === wanted)
    if (column !== undefined) return column
    const there = set.features.columns.map(({ name }) => name).join(', ')
    throw new CameoError(
      'EMBEDDER_UNKNOWN',
      `there are no embeddings of "${wanted}", only of ${there}; ingest with that embedder`,
      { details: { remedy: 'add-embedder', embedder: wanted } },
    )
  })
  if (new Set(columns).size < columns.length)
    throw new CameoError('EMBEDDER_UNKNOWN', `an embedder is named twice: ${embedders?.join(', ') ?? ''}`)
  const chosen = withColumns(set, columns)
  if (fold === undefined) return chosen
  const kept = (tracks: readonly number[]) =>
    tracks.length === 1 ? tracks : tracks.filter((_, at) => at % fold.of !== fold.leave - 1)
  return { ...chosen, galleryTracks: chosen.galleryTracks.map(kept) }
}
