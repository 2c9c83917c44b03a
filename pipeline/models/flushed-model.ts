import { createHash, randomUUID } from 'node:crypto'
import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import { z } from 'zod'
import { sha256OfFile } from '../common/digest.js'
import { sha256 } from './packs/pack.js'
import type { ModelInput } from '../data/model-input.js'

/** Raise it whenever the change or the comparison changes; files that an older version made are then made again. */
const version = 1

const noteSchema = z.strictObject({
  version: z.literal(version),
  /** SHA-256 of the unchanged source file. */
  source: sha256,
  /** Number of weights below 1e-20, and of the subnormal ones among them. */
  tiny: z.int().nonnegative(),
  subnormal: z.int().nonnegative(),
  /** SHA-256 of the changed file. Absent if the source is used: it has no such weights, or the results would differ. */
  flushed: sha256.optional(),
})

type FlushNote = z.infer<typeof noteSchema>

/** A model file as it runs on a CPU. */
export interface RunnableFile {
  readonly path: string
  readonly tiny: number
  readonly subnormal: number
  /** `flushed`: the weights below 1e-20 are 0. `kept`: the results would differ, or the change could not be stored. */
  readonly weights: 'flushed' | 'kept' | 'none'
}

/**
 * The file to load for a verified model file: a copy next to it with the weights below 1e-20 set to 0, which some
 * processors run several times faster. The copy is made once, and only if it gives bit-identical results for a set of
 * pictures. The recipe keeps the digest of the source.
 * @param source the caller has verified that its SHA-256 is `digest`
 */
export async function runnableFile(source: string, digest: string, input: ModelInput): Promise<RunnableFile> {
  const known = await readNote(source, digest)
  if (known !== undefined) return known
  // What changes and compares models is loaded only if a file is new.
  const { flushTinyWeights } = await import('../onnx/flush-weights.js')
  const { onnx, tiny, subnormal } = flushTinyWeights(await readFile(source))
  const isSame = tiny > 0 && (await (await import('./same-results.js')).haveSameResults(source, onnx, input))
  const note: FlushNote = {
    ...{ version, source: digest, tiny, subnormal },
    ...(isSame ? { flushed: createHash('sha256').update(onnx).digest('hex') } : {}),
  }
  try {
    if (isSame) await replaceFile(flushedPath(source), onnx)
    await replaceFile(notePath(source), `${JSON.stringify(note)}\n`)
  } catch {
    // The folder is read-only or the disk is full: the source gives the same results.
    return { path: source, tiny, subnormal, weights: tiny > 0 ? 'kept' : 'none' }
  }
  return describe(source, note)
}

const flushedPath = (source: string) => source.replace(/(\.onnx)?$/, '.flushed.onnx')
const notePath = (source: string) => `${flushedPath(source)}.json`

/**
 * What was made from this file before; undefined if there is no note, or if it belongs to another file or is damaged.
 */
async function readNote(source: string, digest: string): Promise<RunnableFile | undefined> {
  try {
    const note = noteSchema.parse(JSON.parse(await readFile(notePath(source), 'utf8')))
    if (note.source !== digest) return undefined
    if (note.flushed !== undefined && (await sha256OfFile(flushedPath(source))) !== note.flushed)
      return undefined
    return describe(source, note)
  } catch {
    return undefined
  }
}

function describe(source: string, { tiny, subnormal, flushed }: FlushNote): RunnableFile {
  if (flushed !== undefined) return { path: flushedPath(source), tiny, subnormal, weights: 'flushed' }
  return { path: source, tiny, subnormal, weights: tiny > 0 ? 'kept' : 'none' }
}

/** Other threads and processes may do the same: each writes its own file, and the last one stays. */
async function replaceFile(path: string, content: Uint8Array | string): Promise<void> {
  const written = `${path}.${randomUUID()}`
  try {
    await writeFile(written, content, { flush: true })
    await rename(written, path)
  } catch (error) {
    await rm(written, { force: true })
    throw error
  }
}
