import { z } from 'zod'
import { editFormats, type EditFormat } from '../../../index/editing/write-format.js'
import { clipIdSchema } from './common.js'
import { searchBody } from './search.js'

export const exportBody = z
  .object({
    of: z
      .union([
        z.object({ search: searchBody }).strict(),
        z.object({ clipId: clipIdSchema }).strict(),
        z.object({ personId: z.int().min(1) }).strict(),
      ])
      .describe('A search, who is in a clip, or where a person is seen.'),
    format: z.enum(['json', ...editFormats]),
    rate: z.number().min(1).max(1000).exactOptional().describe('Of an EDL: only clips of this frame rate.'),
    purpose: z.string().max(1000).exactOptional(),
    case: z.string().max(200).exactOptional(),
  })
  .strict()
  .meta({ id: 'Export' })
export type ExportBody = z.infer<typeof exportBody>

/** Content types of the formats (OTIO has no registered one). */
export const mimeOf: Readonly<Record<EditFormat | 'json', string>> = {
  json: 'application/json; charset=utf-8',
  csv: 'text/csv; charset=utf-8',
  edl: 'text/plain; charset=utf-8',
  otio: 'application/json; charset=utf-8',
  vtt: 'text/vtt; charset=utf-8',
  srt: 'application/x-subrip; charset=utf-8',
}
