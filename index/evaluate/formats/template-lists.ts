import { CameoError } from '../../../pipeline/common/errors.js'
import { plainPath } from './list-columns.js'
import { badLine, isSameLabel, listLines, readListLines, wholeNumber } from './list-lines.js'

/** An image of a template (IJB's face-tid-mid list). */
export interface MediaLine {
  readonly name: string
  readonly templateId: number
  /** Images of the same medium (a video, a photo) are averaged first. */
  readonly mediumId: number
}

/** Reads lines of `name tid mid`. Ignores further columns. @throws LIST_INVALID with the line number */
export function readMediaList(path: string): MediaLine[] {
  return readListLines(path).map((line) => {
    const [name = '', tid, mid] = line.columns
    const templateId = wholeNumber(tid)
    const mediumId = wholeNumber(mid)
    if (templateId === undefined || mediumId === undefined)
      throw badLine(path, line, '"name tid mid": an image, its template and its medium')
    return { name: plainPath(name), templateId, mediumId }
  })
}

/** Columns instead of objects, because IJB-C has 15 million pairs. */
export interface TemplatePairs {
  readonly first: Int32Array
  readonly second: Int32Array
  /** 1 for the same person, 0 for different people. */
  readonly isSame: Uint8Array
}

/** Reads lines of `tid1 tid2 label`. @throws LIST_INVALID with the line number */
export function readTemplatePairs(path: string): TemplatePairs {
  const first: number[] = []
  const second: number[] = []
  const isSame: number[] = []
  for (const line of listLines(path)) {
    const a = wholeNumber(line.columns[0])
    const b = wholeNumber(line.columns[1])
    const label = isSameLabel(line.columns[2])
    if (a === undefined || b === undefined || label === undefined)
      throw badLine(path, line, '"tid1 tid2 1" or "tid1 tid2 0"')
    first.push(a)
    second.push(b)
    isSame.push(label ? 1 : 0)
  }
  return { first: Int32Array.from(first), second: Int32Array.from(second), isSame: Uint8Array.from(isSame) }
}

/** A template and the person it shows. */
export interface SubjectTemplate {
  readonly templateId: number
  readonly subject: string
}

/**
 * Reads a gallery or a list of probes: lines of `tid subject`. Ignores further columns. A heading is allowed. A
 * template may have one line per image, as in IJB's own files.
 */
export function readSubjectTemplates(path: string): SubjectTemplate[] {
  const subjects = new Map<number, string>()
  for (const [index, line] of readListLines(path).entries()) {
    const [tid, subject = ''] = line.columns
    const templateId = wholeNumber(tid)
    if (index === 0 && templateId === undefined) continue
    if (templateId === undefined || subject === '')
      throw badLine(path, line, '"tid subject": a template and the person it shows')
    const known = subjects.get(templateId)
    if (known !== undefined && known !== subject)
      throw badLine(path, line, `subject ${known}, as in an earlier line of template ${templateId}`)
    subjects.set(templateId, subject)
  }
  if (subjects.size === 0) throw new CameoError('LIST_INVALID', `${path} names no template`)
  return [...subjects].map(([templateId, subject]) => ({ templateId, subject }))
}
