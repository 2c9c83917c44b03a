import { Readable } from 'node:stream'
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod'
import { z } from 'zod'
import { userBehind } from '../../../index/access/api-keys.js'
import { Approvals } from '../../../index/audit/approvals.js'
import { exportAudit } from '../../../index/audit/export-audit.js'
import { listAudit } from '../../../index/audit/list-audit.js'
import { verifyLog } from '../../../index/audit/verify-log.js'
import { findReceipt, listReceipts, receiptKeyOf } from '../../../index/erasure/list-receipts.js'
import { CameoError } from '../../../pipeline/common/errors.js'
import { requestApproval } from '../audit/approved-search.js'
import { askedBy } from '../audit/use-entries.js'
import {
  approvalBody,
  approvalSchema,
  approvalsSchema,
  auditPageSchema,
  auditQuery,
  decisionBody,
  receiptSummarySchema,
  verificationSchema,
} from '../schemas/audit.js'
import { fileAnswer, list } from '../schemas/common.js'
import type { ServerParts } from '../server/parts.js'

const tags = ['audit']
const idParams = z.object({ id: z.string().min(1).max(100) })

/** The audit log, and the receipts of erasures. */
export const auditRoutes =
  ({ audit, auditLog, archive, reader }: ServerParts): FastifyPluginCallbackZod =>
  (app, _options, done) => {
    app.route({
      method: 'GET',
      url: '/audit',
      config: { right: 'audit' },
      schema: {
        ...{ summary: 'Who did what with the archive, the newest first.', tags },
        ...{ querystring: auditQuery, response: { 200: auditPageSchema } },
      },
      handler: ({ query: { case: caseReference, since, until, ...rest } }) => {
        const page = listAudit(auditLog, {
          ...{ ...rest, caseReference },
          ...{ since: utc(since), until: utc(until) },
        })
        const next = page.next === undefined ? {} : { next: `${page.next}` }
        return Promise.resolve({ entries: page.entries, ...next })
      },
    })
    app.route({
      method: 'POST',
      url: '/audit/verification',
      config: { right: 'audit' },
      schema: {
        ...{ summary: 'Check that nothing in the log was changed, added or removed.', tags },
        response: { 200: verificationSchema },
      },
      handler: () => verifyLog(auditLog),
    })
    app.route({
      method: 'GET',
      url: '/audit/export',
      config: { right: 'audit' },
      schema: {
        ...{ summary: 'The log as lines of JSON with a signed end.', tags },
        response: { 200: fileAnswer('Lines of JSON.', 'application/jsonl') },
      },
      handler: async ({ actor }, reply) => {
        await audit.append({ ...askedBy(actor), action: 'audit-export', outcome: 'done' })
        const archiveId = await reader.call('archiveId')
        return reply
          .type('application/jsonl')
          .header('content-disposition', 'attachment; filename="cameo-audit.jsonl"')
          .send(Readable.from(exportAudit(auditLog, { archiveId })))
      },
    })
    app.route({
      method: 'GET',
      url: '/receipts',
      config: { right: 'audit' },
      schema: {
        ...{ summary: 'The receipts of all erasures, the newest first.', tags },
        response: { 200: z.object({ receipts: list(receiptSummarySchema) }) },
      },
      handler: () => Promise.resolve({ receipts: listReceipts(auditLog).reverse() }),
    })
    app.route({
      method: 'GET',
      url: '/receipts/key',
      config: { right: 'audit' },
      schema: {
        ...{ summary: 'The key with which receipts and exports of the log are checked, PEM.', tags },
        response: { 200: fileAnswer('PEM.', 'application/x-pem-file') },
      },
      handler: (_request, reply) => reply.type('application/x-pem-file').send(receiptKeyOf(archive)),
    })
    app.route({
      method: 'GET',
      url: '/receipts/:id',
      config: { right: 'audit' },
      schema: {
        ...{ summary: 'The signed receipt of an erasure.', tags, params: idParams },
        response: { 200: receiptSummarySchema },
      },
      handler: ({ params: { id } }) => Promise.resolve(findReceipt(auditLog, id)),
    })
    done()
  }

const utc = (time: string | undefined) => (time === undefined ? undefined : new Date(time).toISOString())

/** Requests to search that need a second person. */
export const approvalRoutes =
  (parts: ServerParts): FastifyPluginCallbackZod =>
  (app, _options, done) => {
    const { access } = parts
    const approvals = new Approvals(parts.auditLog, { personOf: (actor) => userBehind(access, actor) })
    app.route({
      method: 'GET',
      url: '/approvals',
      config: { right: 'approve' },
      schema: {
        ...{ summary: 'Requests to search, the newest first.', tags, response: { 200: approvalsSchema } },
        querystring: z
          .object({
            limit: z.coerce.number().int().min(1).max(500).exactOptional(),
            after: z.string().max(100).exactOptional(),
          })
          .strict(),
      },
      handler: ({ query }) => Promise.resolve(approvals.list(query)),
    })
    app.route({
      method: 'POST',
      url: '/approvals',
      config: { right: 'search' },
      schema: {
        ...{ summary: 'Ask another person to approve a search.', tags },
        ...{ body: approvalBody, response: { 200: approvalSchema } },
      },
      handler: ({ body, actor }) => Promise.resolve(requestApproval(parts, actor, body.search)),
    })
    app.route({
      method: 'GET',
      url: '/approvals/:id',
      config: { right: 'signed-in' },
      schema: {
        ...{ summary: 'A request to search: for whoever asked, and for those who decide.', tags },
        ...{ params: idParams, response: { 200: approvalSchema } },
      },
      handler: ({ params: { id }, actor }) => {
        const approval = approvals.get(id)
        // Others learn not even that it exists.
        if (approval.requester.id !== actor.id && !actor.rights.has('approve'))
          throw new CameoError('APPROVAL_UNKNOWN', `there is no request to search "${id}"`)
        return Promise.resolve(approval)
      },
    })
    app.route({
      method: 'POST',
      url: '/approvals/:id/decision',
      config: { right: 'approve' },
      schema: {
        ...{ summary: 'Approve a request of somebody else, or deny it.', tags, params: idParams },
        ...{ body: decisionBody, response: { 200: approvalSchema } },
      },
      handler: ({ params: { id }, body, actor }) =>
        Promise.resolve(approvals.decide({ ...askedBy(actor).actor, mayApprove: true }, id, body)),
    })
    done()
  }
