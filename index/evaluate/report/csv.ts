import type { EvaluationReport } from './report-data.js'
import type { TimesReport } from './times-data.js'

/** A table of all identities: identity, name, positives, then the found clips and AP of each step. RFC 4180, UTF-8. */
export function perIdentityCsv(report: EvaluationReport): string {
  const stepNames = report.steps.map(({ name }) => name)
  const header = [
    'identity',
    'name',
    'positives',
    ...stepNames.flatMap((name) => [`found ${name}`, `ap ${name}`]),
  ]
  const rows = report.identities.map(({ identity, name, positives, found, ap }) => [
    identity,
    name ?? '',
    positives,
    ...stepNames.flatMap((_, i) => [found[i] ?? 0, (ap[i] ?? 0).toFixed(6)]),
  ])
  return csvOf([header, ...rows])
}

/** A table of all pairs of a film and a person who appears or was answered in it. RFC 4180, UTF-8. */
export function perPairCsv({ pairs }: TimesReport): string {
  const header = ['film', 'person', 'is true', 'is found', 'seen s', 'answered s', 'right s']
  const rows = pairs.map(({ film, person, isTrue, isFound, seenS, answeredS, rightS }) => [
    ...[film, person, isTrue ? 'yes' : 'no', isFound ? 'yes' : 'no'],
    ...[seenS, answeredS, rightS],
  ])
  return csvOf([header, ...rows])
}

const csvOf = (rows: readonly (readonly (string | number)[])[]) =>
  rows.map((row) => `${row.map(csvCell).join(',')}\r\n`).join('')

/**
 * Formats one cell. Text that a spreadsheet would run as a formula gets a leading apostrophe (OWASP, CSV injection),
 * because names come from other people.
 */
export function csvCell(value: string | number): string {
  const text = typeof value === 'string' && /^[=+\-@\t\r\n]/.test(value) ? `'${value}` : String(value)
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
