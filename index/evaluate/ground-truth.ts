import { readFileSync } from 'node:fs'
import { CameoError, messageOf } from '../../pipeline/errors.js'
import { mapCutoff, type GroundTruth, type Rankings } from './map.js'

/** One line of a file, without its end. */
interface Line {
  readonly number: number
  readonly words: readonly string[]
}

/** Of a text file: lines with something on them, in words. Windows line ends and a byte-order mark do no harm. */
function linesOf(text: string): Line[] {
  return text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n|\r/)
    .map((line, at) => ({ number: at + 1, words: line.trim().split(/\s+/) }))
    .filter(({ words }) => words[0] !== '')
}

function readText(file: string, code: 'GROUND_TRUTH_INVALID' | 'SUBMISSION_INVALID'): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    throw new CameoError(code, `the file ${file} cannot be read: ${messageOf(cause)}`, { cause })
  }
}

const invalid = (file: string, line: number, what: string) =>
  new CameoError('GROUND_TRUTH_INVALID', `${file}, line ${line}: ${what}`)

export interface ParsedGroundTruth {
  readonly groundTruth: GroundTruth
  /** What was passed over, in sentences. */
  readonly warnings: readonly string[]
}

/** Anything with the ending of a video: tells the two kinds of ground truth apart. */
const looksLikeClip = (word: string) => /\.[A-Za-z0-9]{2,5}$/.test(word)

/**
 * iQIYI-VID's ground truth of both kinds: `CLIP ID` a line (training half), or `ID CLIP CLIP …` a line. Which of them is seen
 * from the first line. Lines that say again what is known are counted as warnings.
 * @throws GROUND_TRUTH_INVALID with file and line
 */
export function readGroundTruth(file: string): ParsedGroundTruth {
  return parseGroundTruth(readText(file, 'GROUND_TRUTH_INVALID'), file)
}

export function parseGroundTruth(text: string, file: string): ParsedGroundTruth {
  const lines = linesOf(text)
  const [first] = lines
  if (first === undefined) throw new CameoError('GROUND_TRUTH_INVALID', `the ground truth ${file} is empty`)
  const clipFirst =
    first.words.length === 2 && looksLikeClip(first.words[0] ?? '') && !looksLikeClip(first.words[1] ?? '')
  const groundTruth = new Map<string, Set<string>>()
  let repeated = 0
  for (const { number, words } of lines) {
    if (clipFirst && words.length !== 2)
      throw invalid(
        file,
        number,
        `"CLIP ID" is expected, as on the lines before; there are ${words.length} words`,
      )
    const [identity = '', ...clips] = clipFirst ? [...words].reverse() : words
    if (clips.length === 0)
      throw invalid(file, number, `identity ${identity} has no clip: "ID CLIP CLIP …" is expected`)
    if (looksLikeClip(identity))
      throw invalid(
        file,
        number,
        `"${identity}" stands where an identity is expected; is it a line of the other kind?`,
      )
    const known = groundTruth.get(identity) ?? new Set<string>()
    for (const clip of clips) {
      if (known.has(clip)) repeated++
      known.add(clip)
    }
    groundTruth.set(identity, known)
  }
  const again = `${repeated} clip${repeated === 1 ? ' is' : 's are'} named more than once for the same identity in ${file}; each counts once`
  return { groundTruth, warnings: repeated > 0 ? [again] : [] }
}

/**
 * A submission, `ID CLIP CLIP …` a line, best first. As the challenge has it: of a clip that a line repeats the first place
 * counts; more than 100 clips left on a line, more lines than identities, two lines of one identity, an unknown identity
 * are refused.
 * @throws SUBMISSION_INVALID with file and line
 */
export function readSubmission(file: string, groundTruth: GroundTruth): Rankings {
  return parseSubmission(readText(file, 'SUBMISSION_INVALID'), file, groundTruth)
}

export function parseSubmission(text: string, file: string, groundTruth: GroundTruth): Rankings {
  const refused = (line: number, what: string) =>
    new CameoError('SUBMISSION_INVALID', `${file}, line ${line}: ${what}`)
  const rankings = new Map<string, readonly string[]>()
  for (const { number, words } of linesOf(text)) {
    const [identity = '', ...clips] = words
    if (!groundTruth.has(identity)) throw refused(number, `the ground truth has no identity ${identity}`)
    if (rankings.has(identity)) throw refused(number, `identity ${identity} has a line already`)
    const distinct = [...new Set(clips)]
    if (distinct.length > mapCutoff)
      throw refused(
        number,
        `identity ${identity} has ${distinct.length} clips, at most ${mapCutoff} are allowed`,
      )
    rankings.set(identity, distinct)
  }
  if (rankings.size === 0) throw new CameoError('SUBMISSION_INVALID', `the submission ${file} is empty`)
  return rankings
}

export function formatSubmission(rankings: Rankings): string {
  return [...rankings].map(([identity, clips]) => `${[identity, ...clips].join(' ')}\n`).join('')
}
