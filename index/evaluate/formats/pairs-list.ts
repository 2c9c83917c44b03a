import { CameoError } from '../../../pipeline/common/errors.js'
import { plainPath } from './list-columns.js'
import { badLine, isSameLabel, readListLines, wholeNumber, type ListLine } from './list-lines.js'
import { counted } from '../../../pipeline/common/counted.js'

/** Two images or videos, and whether they show the same person. */
export interface ListedPair {
  /** From 0. */
  readonly fold: number
  readonly first: ListedItem
  readonly second: ListedItem
  readonly isSame: boolean
}

/** LFW numbers the photos of a person. YTF gives the name of a folder. */
export type ListedItem =
  | { readonly kind: 'photo'; readonly person: string; readonly number: number }
  | { readonly kind: 'path'; readonly path: string }

/**
 * Reads the pairs of LFW's `pairs.txt` (`10 300`, then per fold 300 mated and 300 non-mated lines) or of YTF's
 * `splits.txt` (a heading, then `split, first name, second name, …, same`; a name is PERSON/VIDEO). In order of the
 * folds.
 * @throws LIST_INVALID with the line number
 */
export function readPairsList(path: string): ListedPair[] {
  const lines = readListLines(path)
  const [first] = lines
  if (first === undefined) throw new CameoError('LIST_INVALID', `${path} is empty`)
  const isSplits = lines.some(({ columns }) => columns.some((column) => plainPath(column).includes('/')))
  return isSplits ? readSplits(path, lines) : readLfw(path, first, lines.slice(1))
}

function readLfw(path: string, header: ListLine, lines: readonly ListLine[]): ListedPair[] {
  const [folds, perKind] = header.columns.map(wholeNumber)
  if (header.columns.length !== 2 || folds === undefined || perKind === undefined || folds * perKind === 0)
    throw badLine(path, header, '"10 300": the number of folds and of pairs of each kind in a fold')
  const pairs = lines.map((line, index): ListedPair => {
    const fold = Math.floor(index / (2 * perKind))
    const isSame = index % (2 * perKind) < perKind
    const [name = '', i, other = '', j] = line.columns
    const numberA = wholeNumber(i)
    const numberB = wholeNumber(isSame ? other : j)
    if (line.columns.length !== (isSame ? 3 : 4) || numberA === undefined || numberB === undefined)
      throw badLine(path, line, isSame ? '"NAME i j", a mated pair' : '"NAME1 i NAME2 j", a non-mated pair')
    return {
      fold,
      first: { kind: 'photo', person: name, number: numberA },
      second: { kind: 'photo', person: isSame ? name : other, number: numberB },
      isSame,
    }
  })
  if (pairs.length !== folds * perKind * 2)
    throw new CameoError(
      'LIST_INVALID',
      `${path} has ${counted(pairs.length, 'pair')}, but its first line says ${counted(folds, 'fold')} of twice ${perKind}`,
    )
  return pairs
}

function readSplits(path: string, lines: readonly ListLine[]): ListedPair[] {
  const pairs: ListedPair[] = []
  for (const [index, line] of lines.entries()) {
    const [splitText, first = '', second = ''] = line.columns
    const split = wholeNumber(splitText)
    // The heading.
    if (index === 0 && split === undefined) continue
    const isSame = isSameLabel(line.columns.at(-1))
    if (split === undefined || split === 0 || line.columns.length < 4 || isSame === undefined)
      throw badLine(path, line, '"split, first name, second name, 1 or 0"')
    pairs.push({
      fold: split - 1,
      first: { kind: 'path', path: plainPath(first) },
      second: { kind: 'path', path: plainPath(second) },
      isSame,
    })
  }
  return pairs.sort((a, b) => a.fold - b.fold)
}
