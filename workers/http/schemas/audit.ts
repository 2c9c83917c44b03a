import { z } from 'zod'
import { list, nextSchema } from './common.js'
import { searchBody } from './search.js'

const partSchema = z.union([
  z.object({
    state: z.literal('readable'),
    subject: z.object({ kind: z.enum(['name', 'clip', 'group', 'photo']), label: z.string() }),
    content: z.record(z.string(), z.unknown()),
  }),
  z.object({ state: z.enum(['erased', 'unreadable']) }),
])

const actorSchema = z.object({ kind: z.string(), id: z.string(), name: z.string() })

export const auditQuery = z
  .object({
    limit: z.coerce.number().int().min(1).max(500).exactOptional(),
    after: z.coerce.number().int().min(0).exactOptional(),
    actor: z.string().max(200).exactOptional().describe('Id or name of a user or key.'),
    action: z.string().max(100).exactOptional(),
    outcome: z.enum(['done', 'refused', 'failed']).exactOptional(),
    case: z.string().max(200).exactOptional(),
    since: z.iso.datetime({ offset: true }).exactOptional(),
    until: z.iso.datetime({ offset: true }).exactOptional(),
    order: z.enum(['newest', 'oldest']).exactOptional(),
  })
  .strict()

export const auditPageSchema = z
  .object({
    entries: list(
      z
        .object({
          seq: z.int(),
          at: z.string(),
          actor: actorSchema,
          action: z.string(),
          purpose: z.string().optional(),
          caseReference: z.string().optional(),
          approvalId: z.string().optional(),
          outcome: z.string(),
          details: z.record(z.string(), z.unknown()),
          parts: list(partSchema).describe('Whom or what it is about; erased if they were forgotten.'),
          hash: z.string(),
        })
        .meta({ id: 'AuditEntry' }),
    ),
    next: z.string().optional(),
  })
  .meta({ id: 'AuditPage' })

export const verificationSchema = z
  .object({
    isIntact: z.boolean(),
    rows: z.int(),
    hash: z.string(),
    problems: list(z.object({ kind: z.string(), seq: z.int().optional(), message: z.string() })),
  })
  .meta({ id: 'AuditVerification' })

export const approvalSchema = z
  .object({
    approvalId: z.string(),
    state: z.enum(['requested', 'approved', 'denied', 'used', 'expired']),
    requester: actorSchema,
    decider: actorSchema.optional(),
    purpose: z.string().optional(),
    caseReference: z.string().optional(),
    reason: z.string().optional(),
    parts: list(partSchema).describe('What is asked.'),
    requestedAt: z.string(),
    expiresAt: z.string(),
    decidedAt: z.string().optional(),
    usedAt: z.string().optional(),
  })
  .meta({ id: 'Approval' })

export const approvalsSchema = z
  .object({ approvals: list(approvalSchema), next: nextSchema })
  .meta({ id: 'Approvals' })

export const approvalBody = z
  .object({
    search: searchBody.describe(
      'The search for which approval is asked. The approval is for exactly this one.',
    ),
  })
  .strict()
  .meta({ id: 'ApprovalRequest' })

export const decisionBody = z
  .object({ approved: z.boolean(), reason: z.string().max(1000).exactOptional() })
  .strict()
  .meta({ id: 'Decision' })

export const receiptSummarySchema = z.looseObject({
  receiptId: z.string(),
  at: z.string(),
  state: z.enum(['complete', 'pending']),
  reference: z.string(),
})
