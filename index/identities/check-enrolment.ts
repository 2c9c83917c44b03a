import type { EnrolledFace } from './enrolled-faces.js'
import { agreementOf, bySource, type SourceAgreement } from './enrolment-agreement.js'
import type { ReferenceFace } from './identities.js'
import { CameoError } from '../../pipeline/common/errors.js'
import { oneLine } from '../../pipeline/common/visible-text.js'

/** A file that does not match most of the other files of its name. */
export interface Disagreeing extends Omit<SourceAgreement, 'disagrees'> {
  /** The numbers of its faces, once they are enrolled. */
  readonly faces: readonly number[]
}

export interface Enrolment {
  readonly name: string
  /** The faces that the name already has. If a file is given again, its faces are replaced. */
  readonly enrolled: readonly EnrolledFace[]
  readonly given: readonly ReferenceFace[]
  readonly dimension: number
  /** Cosine similarity from which two faces count as one person's. */
  readonly threshold: number
}

/**
 * The files of a name, old and new, that do not match most of its other files.
 * @throws FACES_DISAGREE if most of the new files are among them, unless forced
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
      `most of the files do not match the other files of "${oneLine(name)}" (${measureText(threshold)}), so nothing was enrolled; remove the files that show other people, or enroll them anyway:\n` +
        wrong.map((each) => `  ${describeDisagreeing(each)}`).join('\n'),
      { details: { remedy: 'enroll-all-the-same' } },
    )
  return disagreeing
}

/** The criterion, as part of a sentence. */
export const measureText = (threshold: number) =>
  `with fewer than half of the others a cosine similarity of ${threshold.toFixed(2)} or more`

/** How badly a file matches the others. */
export const describeDisagreeing = ({
  source,
  matches,
  others,
  similarity = 0,
}: Omit<SourceAgreement, 'disagrees'>) =>
  `${oneLine(source)}: ${matches} of ${others} reached, ${similarity.toFixed(2)} on average`
