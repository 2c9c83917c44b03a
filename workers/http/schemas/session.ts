import { z } from 'zod'
import { rights, roleNames } from '../../../index/access/roles.js'
import { list } from './common.js'

const userName = z.string().min(1).max(200)
const password = z.string().min(1).max(1000)

export const signInBody = z.object({ name: userName, password }).strict().meta({ id: 'SignIn' })

export const setupBody = z
  .object({ token: z.string().max(200), name: userName, password })
  .strict()
  .meta({ id: 'Setup' })

export const passwordBody = z
  .object({ oldPassword: password, newPassword: password })
  .strict()
  .meta({ id: 'PasswordChange' })

export const sessionSchema = z
  .object({
    user: z
      .object({
        id: z.string(),
        name: z.string(),
        kind: z.enum(['user', 'key', 'system']),
        roles: list(z.string()),
        rights: list(z.enum(rights)),
        folders: z
          .union([z.literal('all'), list(z.string())])
          .describe('Folders below which clips are seen.'),
      })
      .optional()
      .describe('Absent if nobody is signed in.'),
    csrfToken: z.string().optional().describe('Send it as the header X-Csrf-Token with every change.'),
    methods: z.object({
      password: z.boolean(),
      oidc: z.object({ label: z.string(), url: z.string() }).optional(),
    }),
    policy: z.object({ purposeRequired: z.boolean(), approvalRequired: z.boolean() }),
    setupNeeded: z.boolean().describe('There is no administrator yet.'),
    roles: list(z.enum(roleNames)),
  })
  .meta({ id: 'Session' })
