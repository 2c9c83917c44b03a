import { CameoError } from '../../../pipeline/common/errors.js'
import { separators, splitColumns, type Separator } from './list-columns.js'
import { counted } from '../../../pipeline/common/counted.js'
import type { ClipNames } from '../data/clip-names.js'

/** A line of a ground truth: one identity and clips that show it. */
export interface LabelLine {
  /** From 1. */
  readonly number: number
  readonly identity: string
  readonly clips: readonly string[]
}

interface Row {
  readonly number: number
  readonly words: readonly string[]
}

type Layout = 'identity first' | 'identity last'

/** How certain it is that a word names a clip. */
const rank = { none: 0, someExtension: 1, knownWithoutExtension: 2, mediaExtension: 3, known: 4 } as const

type Rank = (word: string) => number

const media = /\.(mp4|m4v|mov|mkv|webm|avi|mpe?g|m?ts|wmv|flv|3gp|vob|ogv|jpe?g|png|bmp|webp)$/i
const someExtension = /\.[A-Za-z0-9]{2,5}$/

/** Ranks a word by its extension and, if the clips are known, by their names. */
function rankOf(clips: ClipNames | undefined): Rank {
  const known = new Map<string, number>()
  return (word) => {
    const before = known.get(word)
    if (before !== undefined) return before
    const isFile = clips?.hasFile(word) === true
    const own = someExtension.test(word) ? rank.someExtension : rank.none
    const isNamed = isFile || (clips?.find(word).length ?? 0) > 0 || (clips?.rivals(word).length ?? 0) > 0
    const found = isNamed ? (isFile && own > 0 ? rank.known : rank.knownWithoutExtension) : rank.none
    const value = Math.max(found, media.test(word) ? rank.mediaExtension : own)
    known.set(word, value)
    return value
  }
}

/**
 * Reads the lines of a ground truth: "CLIP ID" or "ID CLIP CLIP …", or with the identity at the end. The separator
 * and the order of the columns are detected from the whole file, by which words name clips. If names have no
 * extension and the clips are not known, the column that is a number or has repeated values is the identity.
 * @param clips the known clips, if they are known
 * @throws GROUND_TRUTH_INVALID with the line, if a line differs in form from the others or no word names a clip
 */
export function readLabels(lines: readonly string[], file: string, clips?: ClipNames): LabelLine[] {
  const rankWord = rankOf(clips)
  const rows = withoutHeading(rowsOf(lines, separatorOf(lines, rankWord)), rankWord)
  if (rows.length === 0) throw new CameoError('GROUND_TRUTH_INVALID', `the ground truth ${file} is empty`)
  refuseProse(rows, lines, file, clips, rankWord)
  const layout = layoutOf(rows, rankWord)
  const withExtensions = mostWordsAreClips(rows, rankWord)
  return rows.map(({ number, words }) => {
    const fail = (what: string): never => {
      throw new CameoError('GROUND_TRUTH_INVALID', `${file}, line ${number}: ${what}`)
    }
    const identity = (layout === 'identity first' ? words[0] : words.at(-1)) ?? ''
    const own = layout === 'identity first' ? words.slice(1) : words.slice(0, -1)
    if (own.length === 0)
      return fail(
        media.test(identity)
          ? `the clip ${identity} has no identity: "CLIP ID" or "ID CLIP CLIP …" is expected`
          : `identity ${identity} has no clip: "ID CLIP CLIP …" is expected`,
      )
    const asClip = rankWord(identity)
    if (
      own.every((word) => asClip >= rankWord(word)) &&
      asClip !== rank.none &&
      asClip !== rank.knownWithoutExtension
    )
      fail(
        `"${identity}" is in the place of the identity, as the ${layout.slice(9)} of ${counted(words.length, 'word')}: ` +
          `the columns look exchanged; other lines have the ${layout}`,
      )
    const notClip = withExtensions ? own.find((word) => rankWord(word) === rank.none) : undefined
    if (notClip !== undefined) fail(`"${notClip}" is in the place of a clip; put names with blanks in quotes`)
    return { number, identity, clips: own }
  })
}

const rowsOf = (lines: readonly string[], separator: Separator): Row[] =>
  lines
    .map((line, at) => ({
      number: at + 1,
      words: splitColumns(line, separator).filter((word) => word !== ''),
    }))
    .filter(({ words }) => words.length > 0)

/** Number of lines that are examined to detect the separator. */
const sampledLines = 1000

/** The separator that gives the fewest lines without two columns, then the most clips, then the fewest other words. */
export function separatorOf(lines: readonly string[], rankWord: (word: string) => number): Separator {
  const sample = lines.filter((line) => line.trim() !== '').slice(0, sampledLines)
  const tried = separators.map((separator) => {
    const rows = rowsOf(sample, separator)
    const words = rows.flatMap((row) => row.words)
    const clips = words.filter((word) => rankWord(word) > rank.none).length
    // Words that end with another separator.
    const torn = words.filter((word) => /[,;]$/.test(word)).length
    const short = rows.filter((row) => row.words.length < 2).length
    return { separator, short, clips, others: words.length - clips + torn }
  })
  tried.sort((a, b) => a.short - b.short || b.clips - a.clips || a.others - b.others)
  return tried[0]?.separator ?? 'blanks'
}

/** Removes a first line that names the columns, if the second line names a clip. */
function withoutHeading(rows: Row[], rankWord: Rank): Row[] {
  const [heading, first] = rows
  if (heading === undefined || first === undefined) return rows
  const isHeading =
    heading.words.length > 1 &&
    heading.words.every((word) => rankWord(word) === rank.none && /^[A-Za-z_ -]+$/.test(word)) &&
    heading.words.some((word) => /^(id|label|identity|person|clip|video|file|path)/i.test(word)) &&
    first.words.some((word) => rankWord(word) > rank.none)
  return isHeading ? rows.slice(1) : rows
}

function refuseProse(
  rows: readonly Row[],
  lines: readonly string[],
  file: string,
  clips: ClipNames | undefined,
  rankWord: Rank,
): void {
  const words = rows.flatMap((row) => row.words)
  const least = clips === undefined ? rank.mediaExtension : rank.knownWithoutExtension
  if (words.some((word) => rankWord(word) >= least)) return
  // If clips are not known, names without extensions may be any words except those of a sentence.
  const isProse = clips !== undefined || words.some((word) => /[^.][.,;:!?]$/.test(word))
  if (!isProse) return
  const number = rows[0]?.number ?? 1
  const text = (lines[number - 1] ?? '').trim()
  const shown = text.length > 40 ? `${text.slice(0, 40)}…` : text
  throw new CameoError(
    'GROUND_TRUTH_INVALID',
    `${file} is not a ground truth${clips === undefined ? '' : ' of these clips'}: line ${number} "${shown}" and the following lines name no clip` +
      (clips === undefined || clips.examples.length === 0
        ? ''
        : `, for example ${clips.examples.join(', ')}`),
  )
}

/** The layout of most lines. If both layouts are equally frequent, the layout of the first such line. */
function layoutOf(rows: readonly Row[], rankWord: Rank): Layout {
  const votes = rows.flatMap(({ words }) => {
    const [first, last] = [rankWord(words[0] ?? ''), rankWord(words.at(-1) ?? '')]
    if (words.length < 2 || first === last) return []
    return [first < last ? 'identity first' : 'identity last'] as const
  })
  const [vote] = votes
  if (vote === undefined) return layoutByColumns(rows)
  const first = votes.filter((each) => each === 'identity first').length
  const last = votes.length - first
  return first === last ? vote : first > last ? 'identity first' : 'identity last'
}

/** Identities are numbers, or their values repeat if each line has one clip. */
function layoutByColumns(rows: readonly Row[]): Layout {
  if (rows.some(({ words }) => words.length !== 2)) return 'identity first'
  const [first, second] = [rows.map(({ words }) => words[0]), rows.map(({ words }) => words[1])]
  const areNumbers = (column: readonly (string | undefined)[]) =>
    column.every((value) => /^\d+$/.test(value ?? ''))
  if (areNumbers(first) !== areNumbers(second)) return areNumbers(first) ? 'identity first' : 'identity last'
  const isDistinct = (column: readonly (string | undefined)[]) => new Set(column).size === column.length
  return isDistinct(first) && !isDistinct(second) ? 'identity last' : 'identity first'
}

function mostWordsAreClips(rows: readonly Row[], rankWord: Rank): boolean {
  const ranks = rows.flatMap(({ words }) => words.map(rankWord))
  const extensions = ranks.filter((value) => value !== rank.none && value !== rank.knownWithoutExtension)
  return extensions.length >= ranks.length - extensions.length - rows.length && extensions.length > 0
}
