/** A part of a file, both ends included, or why there is none. */
export type AskedPart =
  | { readonly kind: 'whole' }
  | { readonly kind: 'part'; readonly first: number; readonly last: number }
  | { readonly kind: 'unsatisfiable' }

/**
 * Which part of a file a request asks for (RFC 9110, 14.2). Headers that cannot be understood, units other than bytes and several
 * ranges count as absent, as the standard allows: the whole file is sent.
 * @param ifRange the part is wanted only if the file still has this entity tag
 */
export function askedPart(
  { range, ifRange }: { readonly range: string | undefined; readonly ifRange: string | undefined },
  { size, etag }: { readonly size: number; readonly etag: string },
): AskedPart {
  const found = /^bytes=\s*(\d*)\s*-\s*(\d*)\s*$/i.exec(range ?? '')
  if (found === null || (ifRange !== undefined && ifRange.trim() !== etag)) return { kind: 'whole' }
  const [, from = '', to = ''] = found
  if (from === '' && to === '') return { kind: 'whole' }
  if (from === '') {
    // The last bytes of the file.
    const length = Math.min(Number(to), size)
    return length === 0 ? { kind: 'unsatisfiable' } : { kind: 'part', first: size - length, last: size - 1 }
  }
  const first = Number(from)
  const last = to === '' ? size - 1 : Number(to)
  if (to !== '' && last < first) return { kind: 'whole' }
  if (first >= size) return { kind: 'unsatisfiable' }
  return { kind: 'part', first, last: Math.min(last, size - 1) }
}

/** Whether a browser already has this version of a file. @param known the header `If-None-Match` */
export const hasVersion = (known: string | undefined, etag: string): boolean =>
  known !== undefined &&
  known
    .split(',')
    .map((each) => each.trim().replace(/^W\//, ''))
    .some((each) => each === etag || each === '*')
