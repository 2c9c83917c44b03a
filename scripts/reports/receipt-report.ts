import type { Receipt } from '../../index/erasure/receipt.js'
import { counted } from '../cli/output.js'

const kinds: Readonly<Record<Receipt['subject']['kind'], readonly [string, string]>> = {
  name: ['name', 'names'],
  face: ['face of a name', 'faces of names'],
  clip: ['clip', 'clips'],
  clips: ['clip', 'clips'],
  'unnamed-people': ['clip with people without names', 'clips with people without names'],
}

/** A receipt for a person to read. */
export function receiptText(receipt: Receipt): string {
  const { receiptId, at, state, completes, reference, subject, erased, check, unreachable } = receipt
  const [one, several] = kinds[subject.kind]
  const rows = Object.entries(erased.rows).map(([table, n]) => `${table} ${n}`)
  return [
    `receipt ${receiptId} of ${at}, number ${reference}`,
    `erased: ${counted(subject.count, one, several)} (${state === 'complete' ? 'complete' : 'pending: bytes are still in a file that another process holds'})`,
    ...(completes === undefined ? [] : [`it finishes ${completes}`]),
    ...(rows.length === 0 ? [] : [`rows: ${rows.join(', ')}`]),
    `${counted(erased.vectors, 'vector')}, ${counted(erased.thumbnails, 'thumbnail')}, ${counted(erased.pictures, 'picture')} of faces, ${counted(erased.groups, 'group')}, ${counted(erased.auditKeys, 'key')} of the audit log`,
    `checked afterwards: ${counted(check.vectorsSearched, 'search', 'searches')} with erased vectors found ${check.vectorsFound} of them; ${counted(check.idsLookedUp, 'look-up')} found ${counted(check.rowsFound, 'row')}`,
    'not reached:',
    ...unreachable.map(({ text, dates }) =>
      dates === undefined ? `  ${text}` : `  ${text} (${dates.join(', ')})`,
    ),
  ].join('\n')
}
