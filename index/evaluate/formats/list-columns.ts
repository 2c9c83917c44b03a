/** What stands between the columns of a list. */
export const separators = ['blanks', ',', ';', '\t'] as const

export type Separator = (typeof separators)[number]

/** A word, or what stands between quotes; twice a quote inside is one. */
const word = /"((?:[^"]|"")*)"(?=\s|$)|'([^']*)'(?=\s|$)|\S+/g

const cell = {
  ',': /\s*(?:"((?:[^"]|"")*)"|([^,]*))\s*(?:,|$)/y,
  ';': /\s*(?:"((?:[^"]|"")*)"|([^;]*))\s*(?:;|$)/y,
  '\t': / *(?:"((?:[^"]|"")*)"|([^\t]*)) *(?:\t|$)/y,
} as const

/** The columns of a line without blanks around them and without their quotes; none of an empty line. */
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
 * A clip's or a picture's name in one spelling, so that lists of other programs and systems fit: Windows' backslashes and
 * `file://` become plain paths with "/", `./` in front goes.
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

/** The same, with letters and their accents put together (NFC): names are compared so. */
export const plainName = (name: string): string => plainPath(name).normalize('NFC')
