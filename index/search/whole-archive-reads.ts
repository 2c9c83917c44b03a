import { summariseCoverage } from '../coverage/sum-coverage.js'
import type { Archive } from '../archive/open-archive.js'
import { createWholeRows, damageName, damageOfAll } from '../store/whole-rows.js'
import { coverageName, coverageOfAnswer } from './answer-coverage.js'

/** Reads what every answer tells of the whole archive, so that the first search need not. */
export function prepareAnswers(archive: Archive): void {
  createWholeRows(archive.database, new Set()).damage()
  coverageOfAnswer(archive, [])
}

/** These values, by their names among kept reads. */
const reads: Readonly<Record<string, (archive: Archive) => unknown>> = {
  [damageName]: ({ database }) => damageOfAll(database),
  [coverageName]: summariseCoverage,
}

export const isReadForAnswers = (name: string): boolean => Object.hasOwn(reads, name)

/** Reads one of these values again. Undefined if it is none of them. */
export const readForAnswers = (archive: Archive, name: string): unknown => reads[name]?.(archive)
