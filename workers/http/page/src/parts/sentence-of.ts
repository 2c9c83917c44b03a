import { Problem } from '../request.js'
import { t } from '../texts.js'

/** Why something failed, as one sentence, with its code unless that is shown elsewhere. */
export function sentenceOf(error: unknown, withCode = true): string {
  if (!(error instanceof Problem)) return t.problem.unknown
  if (error.status === 0) return t.problem.noAnswer
  const text = error.message === '' ? t.problem.empty : error.message
  const sentence = `${text.charAt(0).toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? '' : '.'}`
  return withCode ? `${sentence} (${error.code})` : sentence
}
