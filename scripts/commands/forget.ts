import { resolve } from 'node:path'
import { existsSync } from 'node:fs'
import { Command, Option } from 'commander'
import type { Archive } from '../../index/archive/open-archive.js'
import { forgetFace } from '../../index/identities/enrolled-faces.js'
import { finishErasure } from '../../index/archive/finish-erasure.js'
import { findClipId, forgetClip, lossOf } from '../../index/identities/forget.js'
import { forgetName, knownName, parseName } from '../../index/identities/identities.js'
import { lockForErasure } from '../../index/store/locks.js'
import type { ArchiveRecipe } from '../../index/store/meta.js'
import { CameoError } from '../../pipeline/common/errors.js'
import { openCheckpointFolder } from '../../workers/checkpoints/checkpoint-folder.js'
import { archiveOption, jsonOption, numberWithin } from '../cli/options.js'
import { counted, errorJson, exitCodes, note, noteError, oneLine, print, printJson } from '../cli/output.js'
import { openFilledArchive } from '../use/query.js'

interface ForgetOptions {
  readonly archive: string
  readonly clip?: string
  readonly name?: string
  readonly face?: number
  readonly wait: number
  readonly json: boolean
}

/** What is forgotten; with --json as it stands here. */
type Forgotten =
  | {
      readonly forgotten: 'clip'
      readonly clipId: string
      readonly paths: readonly string[]
      readonly names: readonly string[]
    }
  | { readonly forgotten: 'name'; readonly name: string }
  | {
      readonly forgotten: 'face'
      readonly name: string
      readonly face: number
      readonly source: string
      /** Faces that the name still has. */
      readonly left: number
    }

export const forgetCommand = new Command('forget')
  .description(
    'Erase a clip with all faces in it, or a name with the faces it was enrolled with, or one of these. The video file stays.',
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
  .addOption(jsonOption())
  .addHelpText(
    'after',
    `
A clip is its content: all files with the same content are forgotten with it, and named.
Faces that a name was enrolled with from the clip are erased with it, and the name where it has no others.
A forgotten clip stays out when its file is ingested again ("ingest --include-forgotten" lets it in).
Erased rows and vectors are overwritten in the archive's files, not only unlinked; copies and backups are yours to find.
Where another process reads for longer than --wait, the error is ERASURE_PENDING and the exit code ${exitCodes.failed}: no search finds what was
erased, but its bytes are still there. The next command on the archive that can finishes it.
With --json: {forgotten: "clip", clipId, paths, names} with the names that lost faces, {forgotten: "name", name},
or {forgotten: "face", name, face, source, left}; with the last face (left: 0) the name goes, too. Where the erasure is not
finished, with code, message and retriable of the error.
Faces workers take a forgotten clip out of their folder of checkpoints when the index worker has published it; the folder that
CAMEO_CHECKPOINTS names is cleared at once.
Where an index worker keeps the archive, a name and the paths of its photos stay in the archive's journal until the worker
has taken them out of the topic of names.`,
  )
  .action(async (options: ForgetOptions) => {
    process.exitCode = await runForget(options)
  })

async function runForget({ archive: dir, clip, name, face, wait, json }: ForgetOptions): Promise<number> {
  const { archive, recipe } = openFilledArchive(dir)
  try {
    const lock = await lockForErasure(dir)
    try {
      const forgotten =
        name === undefined
          ? eraseClip(archive, clip)
          : face === undefined
            ? eraseName(archive, name)
            : eraseFace(archive, recipe, name, face)
      const pending = await finish(archive, 1000 * wait, lock === undefined)
      if (json) printJson(pending === undefined ? forgotten : { ...forgotten, ...errorJson(pending) })
      else if (pending === undefined) print(describe(forgotten))
      if (pending === undefined) return exitCodes.ok
      noteError(pending)
      return exitCodes.failed
    } finally {
      lock?.release()
    }
  } finally {
    archive.close()
  }
}

function eraseName({ database }: Archive, given: string): Forgotten {
  const name = knownName(database, given)
  forgetName(database, name)
  return { forgotten: 'name', name }
}

function eraseFace(
  { database }: Archive,
  { embedderDigest }: ArchiveRecipe,
  given: string,
  face: number,
): Forgotten {
  const name = knownName(database, given)
  return { forgotten: 'face', name, face, ...forgetFace(database, name, embedderDigest, face) }
}

/** Says what goes before it goes. */
function eraseClip({ database }: Archive, clip: string | undefined): Forgotten {
  if (clip === undefined) throw new CameoError('USAGE', 'say what to forget: --clip ID or --name NAME')
  const clipId = findClipId(database, existsSync(clip) ? resolve(clip) : clip)
  const { paths, names } = lossOf(database, clipId)
  note(`forgetting the content of ${counted(paths.length, 'file')} (the files stay):`)
  for (const path of paths) note(`  ${oneLine(path)}`)
  for (const name of names) note(`and the faces that "${oneLine(name)}" was enrolled with from it`)
  const loss = forgetClip(database, clipId)
  forgetCheckpoints(clipId)
  return { forgotten: 'clip', clipId, ...loss }
}

/** In the folder that faces workers of this machine were told of, too. */
function forgetCheckpoints(clipId: string): void {
  const dir = process.env['CAMEO_CHECKPOINTS']
  if (dir !== undefined && dir !== '') openCheckpointFolder(resolve(dir), note).forget(clipId)
}

/** The ERASURE_PENDING of an erasure that is not finished; undefined where it is. */
async function finish(
  archive: Archive,
  waitMs: number,
  hasFollower: boolean,
): Promise<CameoError | undefined> {
  try {
    await finishErasure(archive, { waitMs, hasFollower, onWait: note, onNotice: note })
    return undefined
  } catch (error) {
    if (!(error instanceof CameoError) || error.code !== 'ERASURE_PENDING') throw error
    return error
  }
}

function describe(done: Forgotten): string {
  if (done.forgotten === 'name') return `the name "${oneLine(done.name)}" is forgotten`
  if (done.forgotten === 'face')
    return (
      `face ${done.face} of "${oneLine(done.name)}", from ${oneLine(done.source)}, is forgotten: ` +
      (done.left === 0 ? 'it was the last, so the name is, too' : `${counted(done.left, 'face')} left`)
    )
  return [
    `the clip ${done.clipId} is forgotten:`,
    ...done.paths.map((path) => `  ${oneLine(path)}`),
    ...done.names.map((name) => `faces of "${oneLine(name)}" are forgotten with it`),
  ].join('\n')
}
