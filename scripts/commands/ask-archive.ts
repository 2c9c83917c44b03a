import { withModels } from '../../index/archive/archive-models.js'
import { openArchiveToRead, openFilledArchive, type Archive } from '../../index/archive/open-archive.js'
import type { ListParts } from '../../index/clips/list-clips.js'
import type { DamagedThing } from '../../index/archive/damaged-things.js'
import type { Caller } from '../../pipeline/stages/caller.js'
import { tellDamaged } from '../reports/damage-report.js'
import { asCaller } from '../cli/caller.js'
import { note } from '../cli/output.js'

/** Asks an archive about its clips, tells what of it is damaged, and gives the answer to `tell`. */
export async function askArchive<Answer extends { readonly damaged: readonly DamagedThing[] }>(
  dir: string,
  ask: (parts: ListParts, caller: Caller) => Promise<Answer>,
  tell: (answer: Answer, archive: Archive) => void | Promise<void>,
): Promise<void> {
  const opened = openFilledArchive(dir, note, openArchiveToRead)
  try {
    const answer = await asCaller((caller) =>
      withModels(opened, { device: { kind: 'cpu' } }, caller, (models) => ask({ opened, models }, caller)),
    )
    tellDamaged(opened.archive, answer.damaged)
    await tell(answer, opened.archive)
  } finally {
    opened.archive.close()
  }
}
