import type { FastifyReply, FastifyRequest } from 'fastify'
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod'
import { CameoError } from '../../../pipeline/common/errors.js'
import { askedPart, hasVersion } from '../media/byte-range.js'
import type { MediaDesk, OpenMedia, PlayPlan } from '../media/media-desk.js'
import { PlayNotes } from '../media/play-notes.js'
import { clipParams, playbackSchema, playQuery } from '../schemas/media.js'
import { whenLeft } from '../server/left.js'
import { fileAnswer } from '../schemas/common.js'
import type { ServerParts } from '../server/parts.js'
import { requireVisibleClip } from '../server/visible.js'

/** Of the header with which a stream says where in the clip it begins. */
export const streamStartHeader = 'cameo-media-start-s'

const fileTypes = ['video/mp4', 'video/webm', 'application/octet-stream']

export const mediaRoutes =
  ({ reader, media, audit }: ServerParts): FastifyPluginCallbackZod =>
  (app, _options, done) => {
    const plays = new PlayNotes(audit)
    app.route({
      method: 'GET',
      url: '/clips/:clipId/playback',
      config: { right: 'view' },
      schema: {
        summary: 'How a browser plays a part of a clip.',
        tags: ['clips'],
        params: clipParams,
        querystring: playQuery,
        response: { 200: playbackSchema },
      },
      handler: async (request, reply) => {
        const clip = await requireVisibleClip(reader, request, request.params.clipId)
        const plan = await media.plan(clip, request.query, whenLeft(reply)).catch(sayWhen(reply))
        await plays.begin(request.actor, clip.clipId)
        return playbackJson(clip.clipId, plan, request.query)
      },
    })
    app.route({
      method: ['GET', 'HEAD'],
      exposeHeadRoute: false,
      url: '/clips/:clipId/media',
      config: { right: 'view' },
      schema: {
        summary: "A clip's file, whole or a range of its bytes.",
        tags: ['clips'],
        params: clipParams,
        response: {
          200: fileAnswer('The file.', ...fileTypes),
          206: fileAnswer('A range of its bytes.', ...fileTypes),
        },
      },
      handler: async (request, reply) => {
        const clip = await requireVisibleClip(reader, request, request.params.clipId)
        if (request.method !== 'HEAD') await plays.goOn(request.actor, clip.clipId)
        const opened = await media.open(clip, whenLeft(reply))
        return sendFile(request, reply, clip.clipId, opened)
      },
    })
    app.route({
      method: 'GET',
      exposeHeadRoute: false,
      url: '/clips/:clipId/stream',
      config: { right: 'view' },
      schema: {
        summary: 'A part of a clip as fragmented MP4, made while it is sent.',
        tags: ['clips'],
        params: clipParams,
        querystring: playQuery,
        response: { 200: fileAnswer('The part.', 'video/mp4') },
      },
      handler: async (request, reply) => {
        const clip = await requireVisibleClip(reader, request, request.params.clipId)
        await plays.goOn(request.actor, clip.clipId)
        return sendStream(request, reply, media, clip)
      },
    })
    done()
  }

function playbackJson(clipId: string, plan: PlayPlan, { startS, endS }: { startS: number; endS?: number }) {
  const { playing, mediaStartS, mediaEndS, durationS } = plan
  const range = `startS=${startS}${endS === undefined ? '' : `&endS=${endS}`}`
  const isDirect = playing.kind === 'direct'
  return {
    direct: isDirect,
    url: `/api/v1/clips/${clipId}/${isDirect ? 'media' : `stream?${range}`}`,
    mime: isDirect ? playing.mime : 'video/mp4',
    ...{ mediaStartS, seekToS: startS - mediaStartS },
    ...(mediaEndS === undefined ? {} : { mediaEndS }),
    ...(durationS === undefined ? {} : { durationS }),
    ...(isDirect ? {} : { reason: playing.reason }),
  }
}

async function sendFile(
  { method, headers }: FastifyRequest,
  reply: FastifyReply,
  clipId: string,
  opened: OpenMedia,
): Promise<FastifyReply> {
  const { sizeBytes: size, mime } = opened
  // The id of a clip is the digest of its content.
  const etag = `"${clipId}"`
  const asked = askedPart({ range: headers.range, ifRange: headerOf(headers['if-range']) }, { size, etag })
  reply.header('etag', etag).header('accept-ranges', 'bytes').header('cache-control', 'private, no-cache')
  if (hasVersion(headers['if-none-match'], etag)) {
    opened.release()
    return reply.code(304).send()
  }
  if (asked.kind === 'unsatisfiable') {
    opened.release()
    reply.header('content-range', `bytes */${size}`)
    throw new CameoError('RANGE_INVALID', `the file has ${size} bytes`)
  }
  const { first, last } = asked.kind === 'part' ? asked : { first: 0, last: size - 1 }
  if (asked.kind === 'part') reply.code(206).header('content-range', `bytes ${first}-${last}/${size}`)
  reply.type(mime ?? 'application/octet-stream').header('content-length', last - first + 1)
  if (mime === undefined) reply.header('content-disposition', 'attachment')
  if (method === 'HEAD') {
    opened.release()
    return reply.send()
  }
  return reply.send(await opened.read(first, last))
}

const headerOf = (value: string | string[] | undefined) => (Array.isArray(value) ? value[0] : value)

async function sendStream(
  { query }: { readonly query: { readonly startS: number; readonly endS?: number } },
  reply: FastifyReply,
  media: MediaDesk,
  clip: Parameters<MediaDesk['stream']>[0],
): Promise<FastifyReply> {
  const left = whenLeft(reply)
  const { bytes, stop, plan } = await media.stream(clip, query, left).catch(sayWhen(reply))
  if (left.aborted) stop()
  else left.addEventListener('abort', stop, { once: true })
  return reply
    .type('video/mp4')
    .header('cache-control', 'private, no-store')
    .header(streamStartHeader, plan.mediaStartS.toFixed(3))
    .send(bytes)
}

/** Says when to ask again, if all places are taken. */
const sayWhen =
  (reply: FastifyReply) =>
  (error: unknown): never => {
    if (error instanceof CameoError && error.code === 'SERVER_BUSY') reply.header('retry-after', '2')
    throw error
  }
