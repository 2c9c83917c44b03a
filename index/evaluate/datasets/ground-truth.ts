import { CameoError } from '../../../pipeline/common/errors.js'
import { counted, pluralOf } from '../../../pipeline/common/counted.js'
import { indexClipNames } from './clip-names.js'
import { readLabels, separatorOf } from '../formats/label-table.js'
import { plainName, splitColumns } from '../formats/list-columns.js'
import { splitLines, textLines } from '../formats/text-lines.js'
import { mapCutoff } from '../metrics/mean-average-precision.js'
import type { GroundTruth, Rankings } from '../data/rankings.js'
import type { ClipNames } from '../data/clip-names.js'

export interface ParsedGroundTruth {
  readonly groundTruth: GroundTruth
  /** Sentences about ignored lines. */
  readonly warnings: readonly string[]
}

/**
 * Reads iQIYI-VID's ground truth of both kinds: lines of `CLIP ID` (training half), or lines of `ID CLIP CLIP …`, in
 * the variants that other programs write (`readLabels`, `textLines`). Names are normalised (`plainName`). Repeated
 * entries are counted in a warning.
 * @param clips the known clips, if they are known
 * @throws GROUND_TRUTH_INVALID with file and line
 */
export function readGroundTruth(file: string, clips?: ClipNames): ParsedGroundTruth {
  return parseLines([...textLines(file, 'GROUND_TRUTH_INVALID')], file, clips)
}

/** Like `readGroundTruth`, for a text. */
export const parseGroundTruth = (text: string, file: string, clips?: ClipNames): ParsedGroundTruth =>
  parseLines(splitLines(text), file, clips)

function parseLines(lines: readonly string[], file: string, names: ClipNames | undefined): ParsedGroundTruth {
  const groundTruth = new Map<string, Set<string>>()
  let repeated = 0
  for (const { identity, clips } of readLabels(lines, file, names)) {
    const person = identity.normalize('NFC')
    const known = groundTruth.get(person) ?? new Set<string>()
    for (const clip of clips.map(plainName)) {
      if (known.has(clip)) repeated++
      known.add(clip)
    }
    groundTruth.set(person, known)
  }
  const again = `${counted(repeated, 'clip')} ${pluralOf(repeated, 'is', 'are')} named more than once for the same identity in ${file}; each counts once`
  return { groundTruth, warnings: repeated > 0 ? [again] : [] }
}

/**
 * Reads a submission: lines of `ID CLIP CLIP …`, best first. The rules are those of the challenge. If a line repeats
 * a clip, the first position counts. Refuses more than 100 distinct clips on a line, more lines than identities, two
 * lines for one identity, and an unknown identity. Clips are named as in the ground truth, or with more or fewer
 * folders, or without their extension.
 * @throws SUBMISSION_INVALID with file and line
 */
export function readSubmission(file: string, groundTruth: GroundTruth): Rankings {
  return rankingsOf([...textLines(file, 'SUBMISSION_INVALID')], file, groundTruth)
}

/** Like `readSubmission`, for a text. */
export const parseSubmission = (text: string, file: string, groundTruth: GroundTruth): Rankings =>
  rankingsOf(splitLines(text), file, groundTruth)

function rankingsOf(lines: readonly string[], file: string, groundTruth: GroundTruth): Rankings {
  const truth = new Set([...groundTruth.values()].flatMap((clips) => [...clips]))
  const names = [...truth]
  const index = indexClipNames(names.map((name) => [name]))
  const isClip = (word: string) => truth.has(plainName(word)) || /\.[A-Za-z0-9]{2,5}$/.test(word)
  const separator = separatorOf(lines, (word) => (isClip(word) ? 1 : 0))
  const rankings = new Map<string, readonly string[]>()
  for (const [at, line] of lines.entries()) {
    const refused = (what: string) => new CameoError('SUBMISSION_INVALID', `${file}, line ${at + 1}: ${what}`)
    const words = splitColumns(line, separator).filter((word) => word !== '')
    const [first, ...clips] = words
    if (first === undefined) continue
    const identity = first.normalize('NFC')
    if (!groundTruth.has(identity)) {
      const last = (clips.at(-1) ?? '').normalize('NFC')
      throw refused(
        `the ground truth has no identity ${identity}` +
          (groundTruth.has(last)
            ? `, but it has ${last}: the columns look exchanged, "ID CLIP CLIP …" is expected`
            : ''),
      )
    }
    if (rankings.has(identity)) throw refused(`identity ${identity} already has a line`)
    const distinct = [...new Set(clips.map((clip) => nameInTruth(clip, refused)))]
    if (distinct.length > mapCutoff)
      throw refused(`identity ${identity} has ${distinct.length} clips, but at most ${mapCutoff} are allowed`)
    rankings.set(identity, distinct)
  }
  if (rankings.size === 0) throw new CameoError('SUBMISSION_INVALID', `the submission ${file} is empty`)
  return rankings

  function nameInTruth(clip: string, refused: (what: string) => CameoError): string {
    const name = plainName(clip)
    if (truth.has(name)) return name
    const found = index.find(name)
    if (found.length === 0 && name.includes('/')) return nameWithoutFolders(name)
    if (found.length > 1 || index.rivals(name).length > 0)
      throw refused(`"${name}" matches several clips of the ground truth: write names as in the ground truth`)
    return found[0] === undefined ? name : (names[found[0]] ?? name)
  }

  /** The name in the ground truth that has fewer leading folders. */
  function nameWithoutFolders(name: string): string {
    for (let rest = name; rest.includes('/');) {
      rest = rest.slice(rest.indexOf('/') + 1)
      const [first, ...more] = index.find(rest)
      const known = first === undefined || more.length > 0 ? undefined : names[first]
      if (known?.split('/').length === rest.split('/').length) return known
    }
    return name
  }
}

/**
 * Checks that a submission and the ground truth have clips in common.
 * @throws SUBMISSION_INVALID if the submission has clips, but none of them is in the ground truth
 */
export function checkSubmissionFits(rankings: Rankings, groundTruth: GroundTruth, file: string): void {
  const truth = new Set([...groundTruth.values()].flatMap((clips) => [...clips]))
  const ranked = [...rankings.values()].flat()
  if (ranked.length === 0 || ranked.some((clip) => truth.has(clip))) return
  const some = (clips: Iterable<string>) => [...clips].slice(0, 3).join(', ')
  throw new CameoError(
    'SUBMISSION_INVALID',
    `none of the ${counted(ranked.length, 'clip')} that ${file} ranks is in the ground truth: it has ${some(ranked)}, but the ground truth has ${some(truth)}`,
  )
}

/** Formats a submission. Names with blanks are quoted. */
export function formatSubmission(rankings: Rankings): string {
  return [...rankings].map(([identity, clips]) => `${[identity, ...clips].map(quoted).join(' ')}\n`).join('')
}

const quoted = (name: string) => (/[\s"']/.test(name) ? `"${name.replaceAll('"', '""')}"` : name)
