import { Option } from 'commander'
import { editFormats, writeEdit, type Edit, type EditFormat } from '../../index/editing/write-format.js'
import { numberWithin } from './options.js'
import { note } from './output.js'

/** In what an answer is printed. */
export interface FormatOptions {
  readonly format?: 'json' | EditFormat
  readonly rate?: number
  readonly json: boolean
}

/** `--format` and `--rate`. */
export const formatOptions = (): Option[] => [
  new Option('--format <format>', 'print the answer in a format for programs and editors').choices([
    'json',
    ...editFormats,
  ]),
  new Option('--rate <fps>', 'of an EDL: only clips of this frame rate').argParser(numberWithin(1, 1000)),
]

/** What the help of a command says of them; `what` are the times of its subtitles. */
export const formatHelp = (
  what: string,
) => `--format: json is --json; csv is a table for sheets; edl is CMX 3600, with the frame rate and the start timecode of each clip's file,
drop frame at 29.97 and 59.94 unless the file's timecode is not; otio is an OpenTimelineIO timeline; vtt and srt are subtitles with the
names, at the times ${what}. An EDL has one frame rate: --rate chooses the clips of one. If a file is not there, its
frame rate is assumed and its times count from 00:00:00:00; a notice says so. Only csv contains what is below the threshold.`

/** True where the answer is to be JSON. */
export const wantsJson = ({ json, format }: FormatOptions) => json || format === 'json'

/** Prints an answer for editors. Returns false where it is wanted as JSON or as text. */
export async function printEdit(edit: () => Edit, { json, format, rate }: FormatOptions): Promise<boolean> {
  if (json || format === undefined || format === 'json') return false
  process.stdout.write(await writeEdit({ ...edit(), rate }, format, note))
  return true
}
