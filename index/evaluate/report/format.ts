import { pluralOf } from '../../../pipeline/common/counted.js'

/** MAP, AP, scores and thresholds: four digits, as on leader boards. */
export function formatScore(value: number): string {
  return value
    .toFixed(4)
    .replace(/^-(0\.0+)$/, '$1')
    .replace('-', '−')
}

/** A difference, always with its sign. */
export function formatGain(value: number): string {
  const text = formatScore(value)
  return value > 0 && /[1-9]/.test(text) ? `+${text}` : text
}

/** Error rates: three significant digits, so that 0.000996 and 0.954 are both readable. */
export function formatRate(value: number): string {
  if (value === 0) return '0'
  return value < 1e-4 ? value.toExponential(2) : value < 0.1 ? value.toPrecision(3) : value.toFixed(4)
}

/** 172860 → "172,860". */
export function formatCount(value: number): string {
  return value.toLocaleString('en-US')
}

/** 1 identity, 2,000 identities: like `counted`, with thousands separators. */
export function formatCounted(value: number, one: string, many?: string): string {
  return `${formatCount(value)} ${pluralOf(value, one, many)}`
}

/** "2026-11-24 12:00 UTC". */
export function formatTimestamp(iso: string): string {
  return `${new Date(iso).toISOString().slice(0, 16).replace('T', ' ')} UTC`
}

/** 83 → "1 min 23 s". */
export function formatDuration(seconds: number): string {
  if (seconds < 60) return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${minutes} min ${Math.floor(seconds % 60)} s`
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}
