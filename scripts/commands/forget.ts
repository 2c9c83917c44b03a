import { Command, Option } from 'commander'
import { openFilledArchive } from '../../index/archive/open-archive.js'
import { parseName } from '../../index/identities/identities.js'
import { CameoError } from '../../pipeline/common/errors.js'
import { forget, type ForgetRequest, type Forgotten } from '../../workers/archive/forget.js'
import { caseOption } from '../cli/audited.js'
import { asCaller } from '../cli/caller.js'
import { archiveOption, jsonOption, numberWithin } from '../cli/options.js'
import { counted, exitCodes, note, oneLine, print, printJson } from '../cli/output.js'

interface ForgetOptions {
  readonly archive: string
  readonly clip?: string
  readonly name?: string
  readonly face?: number
  readonly wait: number
  readonly case?: string
  readonly json: boolean
}

export const forgetCommand = new Command('forget')
  .description(
    'Erase a clip with all faces in it, a name with all its faces, or one face of a name. The video file stays.',
  )
  .addOption(archiveOption())
  .addOption(
    new Option('--clip <id>', 'id of the clip, its first digits, or the path of its file').conflicts('name'),
  )
  .addOption(new Option('--name <name>', 'an enrolled name').argParser(parseName).conflicts('clip'))
  .addOption(
    new Option('--face <number>', 'only this face of the name, as "cameo enroll NAME --list" numbers them')
      .argParser(numberWithin(1, 1_000_000, 'integer'))
      .conflicts('clip'),
  )
  .addOption(
    new Option('--wait <seconds>', 'how long to wait for other processes that read the archive')
      .argParser(numberWithin(0, 86_400))
      .default(30),
  )
  .addOption(caseOption('your number of the request, for the receipt'))
  .addOption(jsonOption())
  .addHelpText(
    'after',
    `
A clip is its content: all files with the same content are forgotten together, and listed.
Faces that were enrolled from the clip are erased, too. A name without any other faces is erased with them.
A forgotten clip stays out when its file is ingested again, unless "ingest --include-forgotten" is given.
Erased rows and vectors are overwritten in the archive's files, not only unlinked; copies and backups are not touched.
If another process reads for longer than --wait, the error is ERASURE_PENDING and the exit code ${exitCodes.failed}: no search finds what was
erased, but its bytes are still there. The next command on the archive finishes the erasure if it can.
With --json: {forgotten: "clip", clipId, paths, names} with the names that lost faces, {forgotten: "name", name},
or {forgotten: "face", name, face, source, left}; with the last face (left: 0) the name is erased, too. If the erasure is
not finished, the object also has code, message and retriable of the error. receipt is the signed proof, or null: see "cameo receipt".
Faces workers remove a forgotten clip from their folder of checkpoints when the index worker has published it. The folder that
CAMEO_CHECKPOINTS names is cleared at once.
If an index worker keeps the archive, a name and the paths of its photos stay in the archive's journal until the worker
has taken them out of the topic of names.`,
  )
  .action(async (options: ForgetOptions) => {
    process.exitCode = await runForget(options)
  })

async function runForget(options: ForgetOptions): Promise<number> {
  const { archive: dir, json } = options
  const opened = openFilledArchive(dir, note)
  try {
    const {
      forgotten,
      pending,
      receipt = null,
    } = await asCaller((caller) => forget(opened, requestOf(options), caller))
    if (pending === undefined) {
      if (json) printJson({ ...forgotten, receipt })
      else print(describe(forgotten))
      if (!json && receipt !== null) print(`receipt ${receipt.receiptId}`)
      return exitCodes.ok
    }
    const { code, message, retriable } = pending
    if (json) printJson({ ...forgotten, code, message, retriable, receipt })
    note(`cameo: ${message} [${code}]`)
    return exitCodes.failed
  } finally {
    opened.archive.close()
  }
}

function requestOf({ clip, name, face, wait, case: caseReference }: ForgetOptions): ForgetRequest {
  const common = { waitMs: 1000 * wait, order: { caseReference } }
  if (name !== undefined) return { ...common, name, face }
  if (clip === undefined) throw new CameoError('USAGE', 'say what to forget: --clip ID or --name NAME')
  const checkpointsDir = process.env['CAMEO_CHECKPOINTS']
  return { ...common, clip, checkpointsDir: checkpointsDir === '' ? undefined : checkpointsDir }
}

function describe(done: Forgotten): string {
  if (done.forgotten === 'name') return `the name "${oneLine(done.name)}" is forgotten`
  if (done.forgotten === 'face')
    return (
      `face ${done.face} of "${oneLine(done.name)}", from ${oneLine(done.source)}, is forgotten: ` +
      (done.left === 0
        ? 'it was the last one, so the name is forgotten, too'
        : `${counted(done.left, 'face')} left`)
    )
  return [
    `the clip ${done.clipId} is forgotten:`,
    ...done.paths.map((path) => `  ${oneLine(path)}`),
    ...done.names.map((name) => `faces of "${oneLine(name)}" are forgotten with it`),
  ].join('\n')
}
