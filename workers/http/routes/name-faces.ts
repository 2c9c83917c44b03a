import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod'
import { CameoError } from '../../../pipeline/common/errors.js'
import { askedBy, nameSubject, subjectEntry } from '../audit/use-entries.js'
import {
  faceParams,
  forgottenSchema,
  identitySchema,
  nameParams,
  uploadedFaceBody,
} from '../schemas/names.js'
import type { ServerParts } from '../server/parts.js'
import { requireWholeArchive } from '../server/visible.js'
import { fieldsThatName, forgottenJson } from './names.js'

/** Faces of uploads for names. */
export const nameFaceRoutes =
  ({ looks, jobs, uploads, audit }: ServerParts): FastifyPluginCallbackZod =>
  (app, _options, done) => {
    app.route({
      method: 'POST',
      url: '/names/:name/faces',
      config: { right: 'correct' },
      schema: {
        summary: 'Add the face of somebody in an upload to a new or known name.',
        tags: ['names'],
        params: nameParams,
        body: uploadedFaceBody,
        response: { 200: identitySchema },
      },
      handler: async ({ params: { name: given }, body: { uploadId, face, force = false }, actor }) => {
        requireWholeArchive(actor)
        const { path, name: fileName } = uploads.find(actor, uploadId)
        const { number } = uploads.person(actor, uploadId, face)
        const { name, faces, added, failed } = await looks.call('enroll', given, path, {
          ...{ face: number, force },
          // The file itself is gone soon.
          source: `uploaded ${new Date().toISOString().slice(0, 19)}Z (${fileName})`,
        })
        if (added === 0)
          throw failed[0]?.error ?? new CameoError('IMAGE_UNREADABLE', 'the face cannot be used')
        await audit.append(subjectEntry(actor, 'enroll', nameSubject(name)))
        return { name, faces }
      },
    })
    app.route({
      method: 'DELETE',
      url: '/names/:name/faces/:number',
      config: { right: 'erase', shownOnce: fieldsThatName },
      schema: {
        ...{ summary: 'Erase one face of a name.', tags: ['names'] },
        ...{ params: faceParams, response: { 200: forgottenSchema } },
      },
      handler: async ({ params: { name, number }, actor }) => {
        requireWholeArchive(actor)
        const report = await jobs
          .call('forget', { name, face: number, order: askedBy(actor) })
          .catch(asNotFound)
        return forgottenJson(report)
      },
    })
    done()
  }

/** The face is part of the address here, not of what is sent. */
function asNotFound(error: unknown): never {
  if (error instanceof CameoError && error.code === 'FACE_UNKNOWN')
    throw new CameoError('NOT_FOUND', error.message)
  throw error
}
