import type { EnrolledFace } from './enrolled-faces.js'
import { agreementOf, bySource, type SourceAgreement } from './enrolment-agreement.js'
import type { ReferenceFace } from './identities.js'
import { CameoError } from '../../pipeline/common/errors.js'
import { oneLine } from '../../pipeline/common/visible-text.js'

/** A file of a name that mostly does not match the others. */
export interface Disagreeing extends Omit<SourceAgreement, 'disagrees'> {
  /** Their numbers, once they are enrolled. */
  readonly faces: readonly number[]
}

export interface Enrolment {
  readonly name: string
  /** What the name has already; faces of a file that is given again are replaced. */
  readonly enrolled: readonly EnrolledFace[]
  readonly given: readonly ReferenceFace[]
  readonly dimension: number
  /** Cosine similarity from which two faces count as one person's. */
  readonly threshold: number
}

/**
 * The files of a name, old and given, that mostly do not match the others.
 * @throws FACES_DISAGREE where most of those given are among them, unless forced
 */
export function checkAgreement(
  enrolment: Enrolment,
  isForced: boolean,
): Omit<SourceAgreement, 'disagrees'>[] {
  const { name, enrolled, given, dimension, threshold } = enrolment
  const fresh = bySource(given.map(({ source, embedding, quality }) => ({ source, quality, ...embedding })))
  const givenSources = new Set(fresh.map(({ source }) => source))
  const kept = bySource(enrolled).filter(({ source }) => !givenSources.has(source))
  const disagreeing = agreementOf([...kept, ...fresh], dimension, threshold)
    .filter(({ disagrees }) => disagrees)
    .map(({ source, similarity, matches, others }) => ({ source, similarity, matches, others }))
  const wrong = disagreeing.filter(({ source }) => givenSources.has(source))
  if (wrong.length > fresh.length / 2 && !isForced)
    throw new CameoError(
      'FACES_DISAGREE',
      `most of the files show somebody else than the others of "${oneLine(name)}" (${measureText(threshold)}), so nothing was enrolled; leave out those of other people, or enroll them all the same:\n` +
        wrong.map((each) => `  ${describeDisagreeing(each)}`).join('\n'),
      { details: { remedy: 'enroll-all-the-same' } },
    )
  return disagreeing
}

/** What is compared, for sentences. */
export const measureText = (threshold: number) =>
  `with fewer than half of the others a cosine similarity of ${threshold.toFixed(2)} or more`

/** How little a file is like the others. */
export const describeDisagreeing = ({
  source,
  matches,
  others,
  similarity = 0,
}: Omit<SourceAgreement, 'disagrees'>) =>
  `${oneLine(source)}: ${matches} of ${others} reached, ${similarity.toFixed(2)} on average`
