import type { EvaluationReport } from './report-data.js'

/** A table of all identities: identity, name, positives, then found and AP of each step. RFC 4180, UTF-8. */
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
  return [header, ...rows].map((row) => `${row.map(csvCell).join(',')}\r\n`).join('')
}

/**
 * One cell. Text that a spreadsheet would run as a formula gets a leading apostrophe (OWASP, CSV injection); names come
 * from other people.
 */
export function csvCell(value: string | number): string {
  const text = typeof value === 'string' && /^[=+\-@\t\r\n]/.test(value) ? `'${value}` : String(value)
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
