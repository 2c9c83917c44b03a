import fastifyMultipart from '@fastify/multipart'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { CameoError, messageOf } from '../../../pipeline/common/errors.js'
import { uploadJson, uploadParams, uploadQuery, uploadSchema } from '../schemas/uploads.js'
import { sendJpeg } from '../server/jpeg.js'
import { fileAnswer } from '../schemas/common.js'
import type { ServerParts } from '../server/parts.js'

export const uploadRoutes =
  ({ uploads }: ServerParts): FastifyPluginAsyncZod =>
  async (app) => {
    // The desk bounds the bytes by what the file holds.
    await app.register(fastifyMultipart, { limits: { files: 1, fields: 0, parts: 1, fileSize: Infinity } })
    app.route({
      method: 'POST',
      url: '/uploads',
      config: { right: 'search' },
      schema: {
        summary: 'Upload one photo or clip, and see who is in it. Nothing of it is kept beyond its expiry.',
        tags: ['search'],
        consumes: ['multipart/form-data'],
        querystring: uploadQuery,
        response: { 201: uploadSchema },
      },
      handler: async (request, reply) => {
        const upload = await receive(request, reply, (file, signal) =>
          uploads.receive(request.actor, {
            ...{ bytes: file.bytes, name: file.name, signal },
            isList: request.query.as === 'list',
          }),
        )
        return reply.code(201).send(uploadJson(upload))
      },
    })
    app.route({
      method: 'DELETE',
      url: '/uploads/:uploadId',
      config: { right: 'search' },
      schema: {
        summary: 'Forget an upload at once.',
        tags: ['search'],
        params: uploadParams,
        response: { 204: z.null() },
      },
      handler: async ({ actor, params: { uploadId } }, reply) => {
        uploads.remove(actor, uploadId)
        return reply.code(204).send(null)
      },
    })
    app.route({
      method: 'GET',
      url: '/uploads/:uploadId/people/:number/thumbnail',
      config: { right: 'search' },
      schema: {
        summary: 'The face of somebody in an upload, as a JPEG.',
        tags: ['search'],
        params: uploadParams.extend({ number: z.coerce.number().int().min(1) }),
        response: { 200: fileAnswer('A JPEG.', 'image/jpeg') },
      },
      handler: ({ actor, params: { uploadId, number }, headers }, reply) => {
        const person = uploads.find(actor, uploadId).looked?.people.find((each) => each.number === number)
        if (person === undefined) throw new CameoError('NOT_FOUND', `the upload shows no person ${number}`)
        return sendJpeg(reply, person.thumbnailJpeg, headers['if-none-match'])
      },
    })
  }

interface FilePart {
  readonly bytes: AsyncIterable<Buffer>
  readonly name: string
}

/** Hands over the one file of a form. What is not read of a refused file is thrown away while the answer is sent. */
async function receive<T>(
  request: FastifyRequest,
  reply: FastifyReply,
  work: (file: FilePart, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  if (!request.isMultipart())
    throw new CameoError('USAGE', 'send the file as multipart/form-data, with one part that is the file')
  const part = await request.file().catch((cause: unknown) => {
    throw new CameoError('USAGE', `the form cannot be read: ${messageOf(cause)}`, { cause })
  })
  if (part === undefined) throw new CameoError('USAGE', 'the form has no file')
  const gone = new AbortController()
  const onClose = () => gone.abort()
  reply.raw.once('close', onClose)
  try {
    return await work({ bytes: part.file, name: part.filename }, gone.signal)
  } catch (error) {
    // Nobody reads on: the connection cannot be used for another request.
    reply.header('connection', 'close')
    part.file.resume()
    throw error
  } finally {
    reply.raw.off('close', onClose)
  }
}
