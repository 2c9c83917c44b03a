/** Separators between the columns of a list. */
export const separators = ['blanks', ',', ';', '\t'] as const

export type Separator = (typeof separators)[number]

/** A word, or text in quotes. A doubled quote inside stands for one quote. */
const word = /"((?:[^"]|"")*)"(?=\s|$)|'([^']*)'(?=\s|$)|\S+/g

const cell = {
  ',': /\s*(?:"((?:[^"]|"")*)"|([^,]*))\s*(?:,|$)/y,
  ';': /\s*(?:"((?:[^"]|"")*)"|([^;]*))\s*(?:;|$)/y,
  '\t': / *(?:"((?:[^"]|"")*)"|([^\t]*)) *(?:\t|$)/y,
} as const

/** The columns of a line, without surrounding blanks and quotes. Empty for an empty line. */
export function splitColumns(line: string, separator: Separator): string[] {
  const text = line.trim()
  if (text === '') return []
  if (separator === 'blanks')
    return Array.from(text.matchAll(word), ([whole, double, single]) =>
      double === undefined ? (single ?? whole) : double.replaceAll('""', '"'),
    )
  const pattern = cell[separator]
  pattern.lastIndex = 0
  const cells: string[] = []
  for (;;) {
    const [whole, quoted, plain = ''] = pattern.exec(text) ?? []
    if (whole === undefined) return cells
    cells.push(quoted === undefined ? plain.trim() : quoted.replaceAll('""', '"'))
    if (!whole.endsWith(separator) || pattern.lastIndex === 0) return cells
    if (pattern.lastIndex === text.length) return [...cells, '']
  }
}

/**
 * Normalises the name of a clip or an image, so that lists of other programs and systems match. Windows backslashes
 * and `file://` become plain paths with "/". A leading `./` is removed.
 */
export function plainPath(name: string): string {
  return withoutScheme(name)
    .replaceAll('\\', '/')
    .replace(/(?<!:)\/{2,}/g, '/')
    .replaceAll('/./', '/')
    .replace(/^(?:\.\/)+/, '')
}

function withoutScheme(name: string): string {
  const path = /^file:\/\/(?:localhost)?(.*)$/i.exec(name)?.[1]
  if (path === undefined) return name
  const onDrive = path.replace(/^\/(?=[A-Za-z]:)/, '')
  try {
    return decodeURIComponent(onDrive)
  } catch {
    return onDrive
  }
}

/** Like `plainPath`, with letters and accents combined (NFC). Names are compared in this form. */
export const plainName = (name: string): string => plainPath(name).normalize('NFC')
