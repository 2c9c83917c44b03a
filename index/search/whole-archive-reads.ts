import { summariseCoverage } from '../coverage/sum-coverage.js'
import type { Archive } from '../archive/open-archive.js'
import { createWholeRows, damageName, damageOfAll } from '../store/whole-rows.js'
import { coverageName, coverageOfAnswer } from './answer-coverage.js'

/** Reads what every answer tells of the whole archive, so that the first search need not. */
export function prepareAnswers(archive: Archive): void {
  createWholeRows(archive.database, new Set()).damage()
  coverageOfAnswer(archive, [])
}

/** Reads one of these values again, by its name among kept reads. Undefined if it is none of them. */
export function readForAnswers(archive: Archive, name: string): unknown {
  if (name === damageName) return damageOfAll(archive.database)
  return name === coverageName ? summariseCoverage(archive) : undefined
}

export const isReadForAnswers = (name: string): boolean => name === damageName || name === coverageName
