import { closeSync, existsSync, fsyncSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs'
import { decode, Encoder } from '@msgpack/msgpack'
import { z } from 'zod'
import { CameoError, messageOf } from '../common/errors.js'
import { openPrivateFile } from '../common/private-files.js'
import type { TrainingCheckpoint } from './train-head.js'

const tensorsSchema = z.array(
  z.object({ name: z.string(), dims: z.array(z.int().nonnegative()), data: z.instanceof(Uint8Array) }),
)

const checkpointSchema = z.object({
  version: z.literal(1),
  /** The settings and data that it belongs to. */
  binding: z.string(),
  epoch: z.int().positive(),
  tensors: tensorsSchema,
  best: z
    .object({ epoch: z.int().positive(), watched: z.number().nullable(), tensors: tensorsSchema })
    .nullable(),
})

type Tensors = TrainingCheckpoint['state']['tensors']

/**
 * Writes everything that a training needs to continue. The file is complete or missing, even if the process is killed.
 */
export function writeCheckpoint(file: string, binding: string, { state, best }: TrainingCheckpoint): void {
  const content = {
    version: 1,
    binding,
    epoch: state.epoch,
    tensors: packed(state.tensors),
    best:
      best === undefined
        ? null
        : { epoch: best.epoch, watched: best.watched ?? null, tensors: packed(best.tensors) },
  }
  // A buffer that grows is copied each time.
  const initialBufferSize = tensorBytes(state.tensors) + tensorBytes(best?.tensors) + (1 << 16)
  writeFileAtomically(file, new Encoder({ initialBufferSize }).encodeSharedRef(content))
}

/** @throws CHECKPOINT_INVALID if there is none, if it is damaged, or if it belongs to other settings or data */
export function readCheckpoint(file: string, binding: string): TrainingCheckpoint {
  if (!existsSync(file))
    throw new CameoError(
      'CHECKPOINT_INVALID',
      `there is no checkpoint ${file} to continue from; start the training from the beginning`,
      { details: { remedy: 'train-anew', checkpoint: file } },
    )
  let content: z.infer<typeof checkpointSchema>
  try {
    content = checkpointSchema.parse(decode(readFileSync(file)))
  } catch (cause) {
    throw new CameoError(
      'CHECKPOINT_INVALID',
      `the checkpoint ${file} cannot be read (${messageOf(cause).slice(0, 200)}): delete it and start the training from the beginning`,
      { cause },
    )
  }
  if (content.binding !== binding)
    throw new CameoError(
      'CHECKPOINT_INVALID',
      `the checkpoint ${file} belongs to a training with other settings or clips: use the same ones, or delete it and start the training from the beginning`,
    )
  const { epoch, tensors, best } = content
  return {
    state: { epoch, tensors: unpacked(tensors) },
    best:
      best === null
        ? undefined
        : { epoch: best.epoch, watched: best.watched ?? undefined, tensors: unpacked(best.tensors) },
  }
}

export function removeCheckpoint(file: string): void {
  rmSync(file, { force: true })
}

/** Writes a temporary file next to it, flushes it, then renames it. */
export function writeFileAtomically(file: string, bytes: Uint8Array): void {
  const temporary = `${file}.part`
  try {
    const handle = openPrivateFile(temporary)
    try {
      for (let at = 0; at < bytes.length;) at += writeSync(handle, bytes, at)
      fsyncSync(handle)
    } finally {
      closeSync(handle)
    }
    renameSync(temporary, file)
  } catch (cause) {
    rmSync(temporary, { force: true })
    throw new CameoError('USAGE', `${file} cannot be written: ${messageOf(cause)}`, { cause })
  }
}

const tensorBytes = (tensors: Tensors = new Map()) =>
  [...tensors.values()].reduce((sum, { data }) => sum + data.byteLength, 0)

function packed(tensors: Tensors) {
  return [...tensors].map(([name, { dims, data }]) => ({
    name,
    dims: [...dims],
    data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
  }))
}

function unpacked(tensors: z.infer<typeof tensorsSchema>): Tensors {
  return new Map(
    // A copy, because a slice of the file may not be aligned.
    tensors.map(({ name, dims, data }) => [
      name,
      { dims, data: new Float32Array(new Uint8Array(data).buffer) },
    ]),
  )
}
