import { encodeFloat16 } from '../../pipeline/data/float16.js'
import { CameoError } from '../../pipeline/common/errors.js'
import { findPack } from '../../pipeline/models/packs/catalog.js'
import { createRecipe, defaultSettings, type Settings } from '../../pipeline/recipe/recipe.js'
import { givenUpMessage, segmentMessages } from '../../workers/kafka/messages/segment-messages.js'
import type {
  ClipSource,
  DescriptorsMessage,
  WirePlan,
  WireRecipe,
} from '../../workers/kafka/messages/schemas.js'

/** The clip of the messages, unless another one is given. */
export const clipId = 'c'.repeat(64)
const dimension = 2
export const source: ClipSource = { uri: '/clips/a.mp4', root: '/clips' }

export function recipeWith(headSha256?: string, settings: Settings = defaultSettings): WireRecipe {
  const pack = findPack('lite')
  const { digest, embedderDigest, spaceDigest, packName } = createRecipe(pack, settings, headSha256)
  const head = headSha256 === undefined ? {} : { headSha256 }
  return { digest, embedderDigest, spaceDigest, packName, settings, ...head }
}

const planOf = ({ segments, pass, clip = clipId }: Pass): WirePlan => ({
  ...{ clipId: clip, dimension, segments, cuttable: true, pass },
  stamp: { device: '1', inode: '2', sizeBytes: 3, mtimeNs: '4' },
  facts: { sizeBytes: 3, durationS: 40, widthPx: 640, heightPx: 360, codec: 'h264', container: 'mov' },
})

const spanOf = (index: number) => ({ index, startS: index * 10, endS: (index + 1) * 10 })

/** One pass over a clip of `segments` segments. */
export interface Pass {
  readonly segments: number
  readonly pass: string
  readonly of?: ClipSource
  readonly recipe?: WireRecipe
  /** Its id. */
  readonly clip?: string
}

/** The messages of the describe stage for a segment with one track. */
export function good(segment: number, about: Pass) {
  const { pass, of = source, recipe = recipeWith() } = about
  const output = {
    segment: spanOf(segment),
    tracks: [
      {
        number: 0,
        spansS: [[segment * 10, segment * 10 + 3]] as const,
        ...{ samples: 12, quality: 0.5 },
        faces: [
          {
            timeS: segment * 10 + 1,
            boxXyxyPx: [0, 0, 10, 10] as const,
            landmarksPx: [
              { x: 1, y: 1 },
              { x: 2, y: 1 },
              { x: 1, y: 2 },
              { x: 1, y: 3 },
              { x: 2, y: 3 },
            ] as const,
            ...{ detectionScore: 0.9, quality: 0.5 },
            embedding: { float16: encodeFloat16(Float32Array.of(1, segment)), norm: 2.5 },
          },
        ],
        descriptor: Float32Array.of(0, 1),
        thumbnailJpeg: Uint8Array.of(1, 2, 3),
      },
    ],
    ...{ frames: 40, faces: 12, truncated: false, provider: 'cpu' as const },
  }
  const context = { recipe, source: of, plan: planOf(about), attempt: `${pass}-${segment}` }
  return segmentMessages(output, context).map((message): DescriptorsMessage =>
    message.kind === 'closing'
      ? message
      : {
          ...message,
          kind: 'described',
          tracks: message.tracks.map((track) => ({
            ...track,
            descriptor: new Uint8Array(Float32Array.of(0, 1).buffer),
          })),
        },
  )
}

export function givenUp(segment: number, code: CameoError['code'], about: Pass): DescriptorsMessage {
  const { of = source, recipe = recipeWith() } = about
  const plan = planOf(about)
  const error = new CameoError(code, `segment ${segment} of ${of.uri}: ${code}`)
  return givenUpMessage({
    ...{ recipe, source: of, stamp: plan.stamp, clipId: plan.clipId, plan, attempts: 1 },
    ...{ error, segments: [spanOf(segment)] },
  })
}
