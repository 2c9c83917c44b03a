import { z } from 'zod'
import type { GraphBuilder, Value } from '../onnx/graph-builder.js'

export const optimizerSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('sgd'),
    momentum: z.number().min(0).max(0.999).default(0.9),
    weightDecay: z.number().min(0).max(1).default(5e-4),
  }),
  z.strictObject({
    kind: z.literal('adam'),
    weightDecay: z.number().min(0).max(1).default(5e-4),
  }),
])

export type OptimizerSettings = z.infer<typeof optimizerSchema>

/** Names of the values that are kept for each parameter, in its shape, between steps. */
export function momentsOf(settings: OptimizerSettings): readonly string[] {
  return settings.kind === 'sgd' ? ['momentum'] : ['first', 'second']
}

export interface Update {
  readonly parameter: Value
  readonly moments: readonly Value[]
}

/**
 * One step of one parameter, in plain nodes.
 *
 * sgd: m ← momentum·m + (g + decay·w), w ← w − rate·m.
 *
 * adam (Kingma and Ba, arXiv 1412.6980; decay separate from the gradient, as in Loshchilov and Hutter, arXiv
 * 1711.05101): first ← .9·first + .1·g, second ← .999·second + .001·g², w ← w − rate·(first / (√second + 1e-8) +
 * decay·w). The rate that is passed in contains the correction √(1 − .999ᵗ) / (1 − .9ᵗ).
 */
export function updateOf(
  graph: GraphBuilder,
  settings: OptimizerSettings,
  decays: boolean,
  values: {
    readonly parameter: Value
    readonly gradient: Value
    readonly moments: readonly Value[]
    readonly rate: Value
  },
): Update {
  const { parameter, gradient, rate } = values
  const { dims } = parameter
  const node = (opType: string, ...inputs: Value[]) => graph.node(opType, inputs, dims)
  const number = (value: number) => graph.scalar(value)
  const decay = decays ? settings.weightDecay : 0
  const decayed = (to: Value) => (decay === 0 ? to : node('Add', to, node('Mul', parameter, number(decay))))
  const [first, second] = values.moments
  if (first === undefined) throw new Error('an optimizer keeps at least one moment')
  if (settings.kind === 'sgd') {
    const kept = node('Add', node('Mul', first, number(settings.momentum)), decayed(gradient))
    return { parameter: node('Sub', parameter, node('Mul', kept, rate)), moments: [kept] }
  }
  if (second === undefined) throw new Error('Adam keeps two moments')
  const mean = node('Add', node('Mul', first, number(0.9)), node('Mul', gradient, number(0.1)))
  const squares = node('Mul', node('Mul', gradient, gradient), number(0.001))
  const power = node('Add', node('Mul', second, number(0.999)), squares)
  const step = node('Div', mean, node('Add', node('Sqrt', power), number(1e-8)))
  return { parameter: node('Sub', parameter, node('Mul', decayed(step), rate)), moments: [mean, power] }
}

/** The factor of the rate at step t; t starts at 1. */
export function rateCorrection(settings: OptimizerSettings, t: number): number {
  return settings.kind === 'sgd' ? 1 : Math.sqrt(1 - 0.999 ** t) / (1 - 0.9 ** t)
}
