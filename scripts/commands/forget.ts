import { resolve } from 'node:path'
import { existsSync } from 'node:fs'
import { Command, Option } from 'commander'
import { openArchiveIndex } from '../../index/archive-index.js'
import { findClipId, forgetClip, scrubLog } from '../../index/forget.js'
import { forgetFace } from '../../index/enrolled-faces.js'
import { forgetName, knownName, parseName } from '../../index/identities.js'
import { lockForErasure } from '../../index/store/locks.js'
import { CameoError } from '../../pipeline/errors.js'
import { openCheckpointFolder } from '../../workers/checkpoint-folder.js'
import { archiveOption, jsonOption, numberWithin } from '../options.js'
import { counted, exitCodes, note, oneLine, print, printJson } from '../output.js'
import { openFilledArchive } from '../query.js'

interface ForgetOptions {
  readonly archive: string
  readonly clip?: string
  readonly name?: string
  readonly face?: number
  readonly json: boolean
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
  .addOption(jsonOption())
  .addHelpText(
    'after',
    `
Faces that a name was enrolled with from the clip are erased with it, and the name where it has no others.
A forgotten clip stays out when its file is ingested again ("ingest --include-forgotten" lets it in).
Erased rows and vectors are overwritten in the archive's files, not only unlinked; copies and backups are yours to find.
With --json: {forgotten: "clip", clipId, names} with the names that lost faces, {forgotten: "name", name},
or {forgotten: "face", name, face, source, left}; with the last face (left: 0) the name goes, too.
Faces workers take a forgotten clip out of their folder of checkpoints when the index worker has published it; the folder that
CAMEO_CHECKPOINTS names is cleared at once.
Where an index worker keeps the archive, a name and the paths of its photos stay in the archive's journal until the worker
has taken them out of the topic of names.`,
  )
  .action(async (options: ForgetOptions) => {
    await runForget(options)
    process.exitCode = exitCodes.ok
  })

async function runForget({ archive: dir, clip, name, face, json }: ForgetOptions): Promise<void> {
  const { archive, recipe } = openFilledArchive(dir)
  try {
    const lock = await lockForErasure(dir)
    try {
      if (name !== undefined && face !== undefined) {
        const known = knownName(archive.database, name)
        const { source, left } = forgetFace(archive.database, known, recipe.embedderDigest, face)
        scrubLog(archive.database)
        if (json) printJson({ forgotten: 'face', name, face, source, left })
        else
          print(
            `face ${face} of "${oneLine(name)}", from ${oneLine(source)}, is forgotten: ` +
              (left === 0 ? 'it was the last, so the name is, too' : `${counted(left, 'face')} left`),
          )
        return
      }
      if (name !== undefined) {
        forgetName(archive.database, knownName(archive.database, name))
        scrubLog(archive.database)
        if (json) printJson({ forgotten: 'name', name })
        else print(`the name "${oneLine(name)}" is forgotten`)
        return
      }
      if (clip === undefined) throw new CameoError('USAGE', 'say what to forget: --clip ID or --name NAME')
      const clipId = findClipId(archive.database, existsSync(clip) ? resolve(clip) : clip)
      const names = forgetClip(archive.database, clipId)
      forgetCheckpoints(clipId)
      scrubLog(archive.database)
      if (lock === undefined)
        note(
          'the index worker that runs on this archive takes the vectors out of its snapshot within seconds',
        )
      else {
        const index = await openArchiveIndex(archive, { onNotice: note })
        await index.snapshot()
        await index.compactIfNeeded()
        await index.close()
      }
      if (json) printJson({ forgotten: 'clip', clipId, names })
      else print(`the clip ${clipId} is forgotten`)
      for (const enrolled of names)
        note(`so are the faces that "${oneLine(enrolled)}" was enrolled with from it`)
    } finally {
      lock?.release()
    }
  } finally {
    archive.close()
  }
}

/** In the folder that faces workers of this machine were told of, too. */
function forgetCheckpoints(clipId: string): void {
  const dir = process.env['CAMEO_CHECKPOINTS']
  if (dir !== undefined && dir !== '') openCheckpointFolder(resolve(dir), note).forget(clipId)
}
