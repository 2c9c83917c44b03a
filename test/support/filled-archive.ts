import { openArchive, type Archive } from '../../index/archive/open-archive.js'
import { encodeFloat16 } from '../../pipeline/data/float16.js'
import { createDirections } from './vectors.js'
import { temporaryDir } from './cameo.js'

const dimension = 128
const facts = { sizeBytes: 9, durationS: 20, widthPx: 64, heightPx: 48, codec: 'h264', container: 'mp4' }
export const clipIdOf = (letter: string) => letter.repeat(64)

/**
 * An archive with one clip per letter, each at two paths, with one person. It has one or two values of every
 * kind.
 */
export function filledArchive(letters: readonly string[]): Archive {
  const archive = openArchive(temporaryDir(), { create: true })
  const { database } = archive
  const spaceId = Number(
    database
      .prepare("INSERT INTO spaces (digest, dimension, description, active) VALUES ('s', ?, '{}', 1)")
      .run(dimension).lastInsertRowid,
  )
  for (const letter of letters) addClip(archive, spaceId, letter)
  return archive
}

function addClip(archive: Archive, spaceId: number, letter: string): void {
  const clipId = clipIdOf(letter)
  const key = { clipId, recipe: 'r', embedder: 'e', spaceId }
  const next = createDirections(dimension, letter.charCodeAt(0))
  const point = { x: 1, y: 1 }
  archive.clips.plan(key, facts, 1, true)
  archive.clips.storeSegment(key, {
    segment: { index: 0, startS: 0, endS: 20 },
    ...{ frames: 40, faces: 12, truncated: false, provider: 'cpu' },
    contexts: [{ encoder: 'scene', frames: 40, float16: encodeFloat16(next()) }],
    tracks: [
      {
        ...{ number: 0, spansS: [[0, 3]], samples: 12, quality: 0.5 },
        descriptor: next(),
        thumbnailJpeg: new Uint8Array(next().buffer),
        faces: [next(), next()].map((vector) => ({
          ...{ timeS: 1, boxXyxyPx: [0, 0, 10, 10], detectionScore: 0.9, quality: 0.5 },
          landmarksPx: [point, point, point, point, point],
          embedding: { float16: encodeFloat16(vector), norm: 2.5 },
        })),
      },
    ],
  })
  archive.database
    .prepare("INSERT INTO checkpoints VALUES (?, 'r', 1, 0, ?)")
    .run(clipId, Buffer.from(next().buffer))
  archive.database
    .prepare("INSERT INTO pending_parts (clip_id, segment, attempt, part, message) VALUES (?, 1, 'a', 0, ?)")
    .run(clipId, Buffer.from(next().buffer))
  const { rootId } = archive.files.rootFor('/films')
  for (const name of [`${letter}.mp4`, `copies/${letter}.mp4`])
    archive.files.record(rootId, name, { device: '1', inode: name, sizeBytes: 9, mtimeNs: '4' }, clipId)
}
