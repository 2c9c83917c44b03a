import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { bytesNpy, floatNpy, numberNpy, objectNpy, textNpy } from './npy.js'
import { zipOf } from './zip.js'

/** Two people with one known clip each. Ada is to be found in two more clips, Zoë in one. */
const clips = {
  'g-ada.mp4': [1, 0],
  'g-zoë.mp4': [0, 1],
  'ada-1.mp4': [1, 0],
  'ada-2.mp4': [0.8, 0.6],
  'zoë-1.mp4': [0, 1],
} as const

const names = Object.keys(clips)
const values = Object.values(clips).flat()
const inFortranOrder = [0, 1].flatMap((column) => Object.values(clips).map((row) => row[column] ?? 0))
/** The same directions in whole numbers. */
const whole = values.map((value) => Math.round(10 * value))
const rows = names.length

export const galleryText = 'Ada g-ada.mp4\nZoë g-zoë.mp4\n'
export const truthText = 'Ada ada-1.mp4 ada-2.mp4\nZoë zoë-1.mp4\n'

type Arrays = Readonly<Record<'names' | 'features', Buffer>> & { readonly quality?: Buffer }

const npz = (arrays: Arrays) =>
  zipOf(Object.fromEntries(Object.entries(arrays).map(([name, bytes]) => [`${name}.npy`, bytes])))

const plainNames = textNpy(names)
const plainFeatures = floatNpy([rows, 2], values)

/** Feature files as NumPy writes them. All hold the same data. One function per row of the table. */
export const featureFiles = {
  'as numpy.savez writes them': () => npz({ names: plainNames, features: plainFeatures }),
  'in Fortran order': () =>
    npz({ names: plainNames, features: numberNpy('<f4', [rows, 2], inFortranOrder, true) }),
  'big-endian, names too': () =>
    npz({ names: textNpy(names, '>'), features: numberNpy('>f8', [rows, 2], values) }),
  'big-endian half precision in Fortran order': () =>
    npz({ names: plainNames, features: numberNpy('>f2', [rows, 2], inFortranOrder, true) }),
  'of whole numbers, with whole qualities': () =>
    npz({
      names: plainNames,
      features: numberNpy('>i2', [rows, 2], whole),
      quality: numberNpy('<i8', [rows], names.map(() => 1)), // prettier-ignore
    }),
  'with booleans for quality': () =>
    npz({
      names: plainNames,
      features: plainFeatures,
      quality: numberNpy('|b1', [rows], names.map(() => 1)), // prettier-ignore
    }),
  'with names as Python objects': () => npz({ names: objectNpy(names), features: plainFeatures }),
  'with names as objects of bytes': () =>
    npz({ names: objectNpy(names.map((name) => Buffer.from(name))), features: plainFeatures }),
  'with names as bytes': () => npz({ names: bytesNpy(names), features: plainFeatures }),
  'with names in NFD': () =>
    npz({ names: textNpy(names.map((name) => name.normalize('NFD'))), features: plainFeatures }),
} as const

const utf16 = (text: string, order: 'LE' | 'BE') => {
  const bytes = Buffer.from(text, 'utf16le')
  return order === 'LE' ? bytes : bytes.swap16()
}

const exchanged = (text: string) =>
  text.replace(/^(\S+) (.*)$/gm, (_, identity: string, own: string) => `${own} ${identity}`)

/**
 * Lists as other programs and systems write them. All mean the same as the text. One function per row of the
 * table.
 */
export const listForms: Readonly<Record<string, (text: string) => Buffer | string>> = {
  'in UTF-8': (text) => text,
  'in UTF-8 with its mark and Windows line ends': (text) => `\uFEFF${text.replaceAll('\n', '\r\n')}`,
  'with the line ends of old Macs': (text) => text.replaceAll('\n', '\r'),
  'in UTF-16, little-endian, with its mark': (text) => utf16(`\uFEFF${text}`, 'LE'),
  'in UTF-16, big-endian, with its mark': (text) => utf16(`\uFEFF${text}`, 'BE'),
  'in UTF-16, little-endian, without a mark': (text) => utf16(text, 'LE'),
  'in UTF-16, big-endian, without a mark': (text) => utf16(text, 'BE'),
  'compressed': (text) => gzipSync(text), // prettier-ignore
  'in NFD': (text) => text.normalize('NFD'),
  'with tabs and trailing blanks': (text) => text.replaceAll(' ', '\t').replaceAll('\n', '  \t\n'),
  'with commas': (text) => text.replaceAll(' ', ','),
  'with semicolons and quotes': (text) => text.replace(/\S+/g, '"$&"').replaceAll(' ', '; '),
  'with backslash paths of another machine': (text) => text.replace(/\S+\.mp4/g, 'C:\\film\\$&'),
  'with quoted backslash paths': (text) => text.replace(/\S+\.mp4/g, '"D:\\my films\\$&"'),
  'with "./" in front': (text) => text.replace(/\S+\.mp4/g, './$&'),
  'with file:// addresses': (text) =>
    text.replace(/\S+\.mp4/g, (name) => `file:///data/${encodeURIComponent(name)}`),
  'without extensions': (text) => text.replaceAll('.mp4', ''),
  'with the extension in capitals': (text) => text.replaceAll('.mp4', '.MP4'),
  'with the identity at the end': exchanged,
  'without extensions, with the identity at the end': (text) => exchanged(text).replaceAll('.mp4', ''),
  'a line a clip': (text) =>
    text.replace(/^(\S+) (.*)$/gm, (_, identity: string, own: string) =>
      own
        .split(' ')
        .map((clip) => `${clip} ${identity}`)
        .join('\n'),
    ),
  'with a heading': (text) => `identity,clips,clips\n${text}`.replaceAll(' ', ','),
}

export const prose = 'Dear colleague,\nplease find the films of last week below.\n\nBest wishes\n'

export interface FieldSet {
  readonly features: string
  readonly gallery: string
  readonly truth: string
}

/** Writes features, gallery and ground truth into a folder. */
export function writeFieldSet(
  dir: string,
  tag: string,
  features: Uint8Array,
  form: (text: string) => Buffer | string,
): FieldSet {
  const write = (name: string, content: Uint8Array | string) => {
    const file = join(dir, `${tag}-${name}`)
    writeFileSync(file, content)
    return file
  }
  return {
    features: write('features.npz', features),
    gallery: write('train_gt.txt', form(galleryText)),
    truth: write('test_gt.txt', form(truthText)),
  }
}
