import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod'
import { CameoError } from '../../../pipeline/common/errors.js'
import { fileAnswer, thumbnailUrl } from '../schemas/common.js'
import { trackParams, trackSchema } from '../schemas/media.js'
import { sendJpeg } from '../server/jpeg.js'
import type { ServerParts } from '../server/parts.js'
import { requireVisibleTrack } from '../server/visible.js'

export const trackRoutes =
  ({ reader }: ServerParts): FastifyPluginCallbackZod =>
  (app, _options, done) => {
    app.route({
      method: 'GET',
      url: '/tracks/:trackId',
      config: { right: 'view' },
      schema: {
        summary: "One person's appearance in one clip.",
        tags: ['clips'],
        params: trackParams,
        response: { 200: trackSchema },
      },
      handler: async (request) => {
        const { trackId, clipId, spansS, quality } = await requireVisibleTrack(
          reader,
          request,
          request.params.trackId,
        )
        const { people } = await reader.call('showClip', { clip: clipId })
        const person = people.find(({ trackIds }) => trackIds.includes(trackId))
        return {
          ...{ trackId, clipId, quality, thumbnail: thumbnailUrl(trackId) },
          ranges: spansS.map(([startS, endS]) => ({ startS, endS })),
          ...(person?.personId === undefined ? {} : { personId: person.personId }),
          ...(person?.name === undefined ? {} : { name: person.name }),
          ...(person?.score === undefined ? {} : { score: person.score }),
        }
      },
    })
    app.route({
      method: 'GET',
      url: '/tracks/:trackId/thumbnail',
      config: { right: 'view' },
      schema: {
        summary: 'The face of a track, as a JPEG.',
        tags: ['clips'],
        params: trackParams,
        response: { 200: fileAnswer('A JPEG.', 'image/jpeg') },
      },
      handler: async (request, reply) => {
        const { trackId, thumbnailJpeg } = await requireVisibleTrack(reader, request, request.params.trackId)
        if (thumbnailJpeg === undefined)
          throw new CameoError('TRACK_UNKNOWN', `the archive has no picture of track ${trackId}`)
        return sendJpeg(reply, thumbnailJpeg, request.headers['if-none-match'])
      },
    })
    done()
  }
