import { CameoError } from '../../common/errors.js'
import { add } from '../../onnx/ops.js'
import { combinedMarginLoss, type Margins } from './combined-margin.js'
import { interLoss } from './inter.js'
import { intraLoss } from './intra.js'
import type { Loss } from './loss.js'
import { softmaxLoss } from './softmax.js'
import { tripletLoss } from './triplet.js'

/** The paper's names with the paper's margins (arXiv 1801.07698, tables 2 and 3). */
const namedMargins: Readonly<Record<string, (margin: number | undefined) => Margins>> = {
  'norm-softmax': () => ({ m1: 1, m2: 0, m3: 0 }),
  arcface: (margin = 0.5) => ({ m1: 1, m2: margin, m3: 0 }),
  cosface: (margin = 0.35) => ({ m1: 1, m2: 0, m3: margin }),
  sphereface: (margin = 1.35) => ({ m1: margin, m2: 0, m3: 0 }),
  cm1: () => ({ m1: 1, m2: 0.3, m3: 0.2 }),
  cm2: () => ({ m1: 0.9, m2: 0.4, m3: 0.15 }),
}

export const lossNames: readonly string[] = [
  'softmax',
  ...Object.keys(namedMargins),
  'intra',
  'inter',
  'triplet',
]

/**
 * A loss by its name, NAME or NAME:MARGIN, or a sum of several, for example `norm-softmax+intra`.
 * @param scale s of the cosine losses
 * @throws USAGE
 */
export function parseLoss(text: string, scale: number): Loss {
  const losses = text.split('+').map((part) => parseOne(part.trim(), scale))
  const [first] = losses
  if (first === undefined || losses.length === 1) return first ?? parseOne('', scale)
  if (
    losses.some(({ scoring }) => scoring !== first.scoring) &&
    losses.some(({ scoring }) => scoring === 'linear')
  )
    throw new CameoError(
      'USAGE',
      `the loss ${text} adds an angular loss to the plain softmax, which has no angles: use norm-softmax instead`,
    )
  return {
    name: text,
    needsPairs: losses.some(({ needsPairs }) => needsPairs),
    scoring: first.scoring,
    scale: Math.max(...losses.map((loss) => loss.scale)),
    build: (graph, inputs) =>
      losses.map((loss) => loss.build(graph, inputs)).reduce((total, loss) => add(graph, total, loss)),
  }
}

function parseOne(text: string, scale: number): Loss {
  const [name = '', given] = text.split(':')
  const margin = given === undefined ? undefined : Number(given)
  const takesMargin = ['arcface', 'cosface', 'sphereface', 'triplet'].includes(name)
  if (margin !== undefined && (!takesMargin || !Number.isFinite(margin) || margin < 0 || margin > 4))
    throw new CameoError(
      'USAGE',
      `the loss "${text}" cannot be read: ${takesMargin ? 'a margin is a number from 0 to 4' : `${name} takes no margin`}`,
    )
  if (name === 'softmax') return softmaxLoss
  if (name === 'intra') return intraLoss
  if (name === 'inter') return interLoss
  if (name === 'triplet') return tripletLoss(margin ?? 0.35)
  const margins = namedMargins[name]?.(margin)
  if (margins === undefined)
    throw new CameoError(
      'USAGE',
      `there is no loss "${name}": choose ${lossNames.join(', ')}, or a sum, for example norm-softmax+intra`,
    )
  return combinedMarginLoss(text, margins, scale)
}
