import { availableParallelism } from 'node:os'
import { resolve } from 'node:path'
import { InvalidArgumentError, Option } from 'commander'
import { defaultExpectedFalse } from '../../index/search/match-threshold.js'
import { parseDevice, type DeviceChoice } from '../../pipeline/models/device.js'
import { defaultCheckpointEveryS } from '../../pipeline/segments/resume-segment.js'

/** `--archive DIR`, else `CAMEO_ARCHIVE`, else ./cameo-data. */
export const archiveOption = () => givenArchiveOption('folder of the archive').default('./cameo-data')

/** The same without a default. */
export function givenArchiveOption(description: string): Option {
  const option = new Option('-a, --archive <dir>', description).argParser(archiveDir)
  // An empty variable counts as unset, because scripts may set it to nothing.
  return process.env['CAMEO_ARCHIVE'] === '' ? option : option.env('CAMEO_ARCHIVE')
}

/** An empty folder name would mean the current folder, which nobody intends. */
function archiveDir(dir: string): string {
  if (dir === '') throw new InvalidArgumentError('a folder is needed.')
  return resolve(dir)
}

export const deviceOption = () =>
  new Option('--device <device>', 'auto, cpu, cuda or cuda:N')
    .default({ kind: 'auto' } satisfies DeviceChoice, 'auto')
    .argParser((text: string) => {
      try {
        return parseDevice(text)
      } catch (error) {
        throw new InvalidArgumentError(error instanceof Error ? error.message : String(error))
      }
    })

/** For tests and measurements. Users do not need to choose how much work a stop can lose. */
export const checkpointOption = () =>
  new Option('--checkpoint-every <s>', 'seconds of video between two checkpoints of a running segment')
    .default(defaultCheckpointEveryS)
    .argParser(numberWithin(0.01, 1e9))
    .hideHelp()

export const jsonOption = () => new Option('--json', 'machine-readable output').default(false)

export const minScoreOption = () =>
  new Option(
    '--min-score <s>',
    'the cosine similarity from which a track matches, instead of the default',
  ).argParser(numberWithin(-1, 1))

export const expectFalseOption = () =>
  new Option(
    '--expect-false <n>',
    `how many tracks of other people may be expected to match; the default threshold follows from it and from the archive's size (default: ${defaultExpectedFalse})`,
  )
    .argParser(numberWithin(1e-9, 1e9))
    .conflicts('minScore')

export const defaultThreads = availableParallelism()

/** A parser of an option that may be repeated: its values, in order. */
export const listOf =
  (parse: (text: string) => string) =>
  (text: string, before: readonly string[] | undefined): readonly string[] => [...(before ?? []), parse(text)]

/** A parser of numbers within bounds, for commander. */
export function numberWithin(low: number, high: number, kind: 'any' | 'integer' = 'any') {
  return (text: string): number => {
    const value = Number(text)
    if (text.trim() === '' || !Number.isFinite(value) || (kind === 'integer' && !Number.isInteger(value)))
      throw new InvalidArgumentError(`a${kind === 'integer' ? ' whole' : ''} number is needed.`)
    if (value < low || value > high) throw new InvalidArgumentError(`it must be from ${low} to ${high}.`)
    return value
  }
}
