import { readFile } from 'node:fs/promises'
import { createHash } from 'node:crypto'
import { resolve } from 'node:path'
import { CameoError, messageOf } from '../../common/errors.js'
import type { ModelLoader } from '../../models/session.js'
import type { Recipe } from '../../recipe/recipe.js'
import type { DescriberHead } from '../describe-track.js'
import { headNames, readHeadMetadata, type HeadMetadata } from './head-metadata.js'

/** A head's file, not loaded as a model. */
export interface HeadFile {
  /** Absolute. */
  readonly path: string
  readonly sha256: string
  /** Undefined if `head train` did not write it: any ONNX file [n, d] → [n, e] is possible. */
  readonly metadata: HeadMetadata | undefined
}

/** Throws MODEL_UNREADABLE if there is no such file. */
export async function readHeadBytes(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path)
  } catch (cause) {
    throw new CameoError(
      'MODEL_UNREADABLE',
      `the head ${path} cannot be read (${messageOf(cause)}): give the path of an ONNX file`,
      { cause },
    )
  }
}

/** Throws MODEL_UNREADABLE if there is no such file, HEAD_INVALID if it is not an ONNX file. */
export async function readHeadFile(path: string): Promise<HeadFile> {
  const onnx = await readHeadBytes(path)
  return {
    path: resolve(path),
    sha256: createHash('sha256').update(onnx).digest('hex'),
    metadata: await readHeadMetadata(path, onnx),
  }
}

/** The embeddings that exist where a head is to be used. */
export type EmbeddedWith = Pick<Recipe, 'packName' | 'embedderDigest' | 'features'>

/**
 * Refuses a head that was trained on embeddings that do not exist here. A head without metadata is checked by its
 * dimension when it is loaded.
 * @throws HEAD_OTHER_EMBEDDER that names both embedders
 */
export function checkHead({ path, metadata }: HeadFile, made: EmbeddedWith): void {
  const own = { name: made.packName, digest: made.embedderDigest }
  const further = (made.features ?? []).filter(({ kind }) => kind === 'embedder')
  const there = new Set([own, ...further].map(({ digest }) => digest))
  for (const wanted of metadata?.embedders ?? [])
    if (!there.has(wanted.digest))
      throw new CameoError(
        'HEAD_OTHER_EMBEDDER',
        `the head ${path} was trained on the embedder ${nameOf(wanted)}, but the embeddings here come from ${[own, ...further].map(nameOf).join(' and ')}: train a head on these, or use the models that it was trained with`,
      )
}

const nameOf = ({ name, digest }: { readonly name: string; readonly digest: string }) =>
  `${name} (${digest.slice(0, 12)})`

/**
 * Loads a head for the describe stage.
 * @param dimension dimension of the pack's own embeddings, the input of a head without metadata
 * @throws the same errors as `load`
 */
export async function loadDescriberHead(
  { path, metadata }: HeadFile,
  dimension: number,
  load: ModelLoader,
): Promise<DescriberHead> {
  if (metadata === undefined) return { path, model: await load(path, [1, dimension]) }
  const width = metadata.embedders.reduce((sum, embedder) => sum + embedder.dimension, 0)
  // Without the scores: with many classes they take longer than everything else.
  const model = await load(path, [1, width], headNames.descriptor)
  return { path, model, embedders: metadata.embedders }
}
