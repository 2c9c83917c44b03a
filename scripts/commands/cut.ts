import { Command, Option } from 'commander'
import { cutHits, type CutResult } from '../../index/editing/cut-hits.js'
import { exportEntry } from '../../index/audit/use-entries.js'
import { audited, reasonOptions, type ReasonOptions } from '../cli/audited.js'
import { archiveOption, jsonOption, numberWithin } from '../cli/options.js'
import { counted, errorJson, exitCodes, note, noteError, oneLine, print, printJson } from '../cli/output.js'
import { untilStopped } from '../cli/until-stopped.js'
import { enrolledAmong, hitsOf } from './play.js'

interface CutOptions extends ReasonOptions {
  readonly archive: string
  readonly out: string
  readonly exact: boolean
  readonly handles: number
  readonly overwrite: boolean
  readonly json: boolean
}

export const cutCommand = new Command('cut')
  .description('Write the hits of an answer as clips of their own.')
  .argument(
    '[result]',
    'the JSON of a search or of a clip shown; - is standard input; default: the last answer',
  )
  .requiredOption('-o, --out <dir>', 'folder to write the clips into')
  .addOption(archiveOption())
  .addOption(
    new Option(
      '--exact',
      'begin at the very frame: encode again (H.264, AAC, MP4) in place of copying',
    ).default(false),
  )
  .addOption(
    new Option('--handles <s>', 'so many seconds more before and after each hit')
      .argParser(numberWithin(0, 3600))
      .default(0),
  )
  .addOption(new Option('--overwrite', 'replace files that are there already').default(false))
  .addOption(jsonOption())
  .addHelpText(
    'after',
    `
Each time range becomes a file "NUMBER FILE TIME PERSON". Without --exact, nothing is encoded: a copy begins with the key frame at or
before the hit. Players skip to the hit in MP4 and MOV; in other containers they show what comes before it. Hits below the threshold
are left out.
With --json: {written: [{hit, person, path, startS, endS, file}], failed: [{hit, person, path, startS, endS, code, message, retriable}]}.
Exit code: 0 all hits were written; 1 some could not be; 2 the command could not run.`,
  )
  .action(async (result: string | undefined, options: CutOptions) => {
    process.exitCode = await cut(result, options)
  })

for (const option of reasonOptions()) cutCommand.addOption(option)

async function cut(result: string | undefined, options: CutOptions): Promise<number> {
  const { archive, json, handles, ...rest } = options
  const hits = hitsOf(archive, result)
  await audited(archive, () => [exportEntry('cut', hits, enrolledAmong(archive, hits))], options)
  const results: CutResult[] = []
  await untilStopped((signal) =>
    cutHits({ ...rest, hits, handlesS: handles, signal }, (done) => {
      results.push(done)
      if (done.error !== undefined) noteError(done.error)
      else if (!json) print(oneLine(done.file))
    }),
  )
  const failed = results.filter(({ error }) => error !== undefined)
  if (json) printJson(toJson(results))
  else note(`${counted(results.length - failed.length, 'clip')} written to ${options.out}`)
  return failed.length > 0 ? exitCodes.someFailed : exitCodes.ok
}

function toJson(results: readonly CutResult[]) {
  const hitJson = ({ hit: { number, person, path, startS, endS } }: CutResult) => ({
    ...{ hit: number, person, path, startS, endS },
  })
  return {
    written: results.flatMap((done) =>
      done.error === undefined ? [{ ...hitJson(done), file: done.file }] : [],
    ),
    failed: results.flatMap((done) =>
      done.error === undefined ? [] : [{ ...hitJson(done), ...errorJson(done.error) }],
    ),
  }
}
