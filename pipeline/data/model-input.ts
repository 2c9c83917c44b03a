import { z } from 'zod'
import { maxInputSidePx } from '../common/limits.js'

/** One value for all channels, or one per channel in the model's own order. */
export const perChannel = (value: z.ZodNumber) => z.union([value, z.tuple([value, value, value]).readonly()])

export const inputSchema = z.strictObject({
  widthPx: z.int().positive().max(maxInputSidePx),
  heightPx: z.int().positive().max(maxInputSidePx),
  channelOrder: z.enum(['rgb', 'bgr', 'grey']),
  /** The model receives (channel value 0..255 − mean) / scale. */
  mean: perChannel(z.number()),
  scale: perChannel(z.number().positive()),
})

export type ModelInput = z.infer<typeof inputSchema>
