import type { FilledArchive } from '../../../index/archive/open-archive.js'
import { showName } from '../../../index/identities/show-name.js'
import { namePart } from '../../../index/audit/use-entries.js'
import { audited, type ReasonOptions } from '../../cli/audited.js'
import { note, printJson } from '../../cli/output.js'
import { tellDamaged } from '../../reports/damage-report.js'
import { printShownName, shownNameJson } from '../../reports/name-report.js'
import { nameSheet } from '../../reports/name-sheet.js'
import { writeSheet } from './write-sheet.js'

/** What the help of the command says of names. */
export const nameHelp = `A name shows what it rests on. Each face has the number that "cameo forget --name NAME --face N" takes, its file, its quality and its
mean similarity to the faces of the other files. A face is odd if it reaches the threshold of the models with fewer than half of the
other files: look whether it shows somebody else. Faces with a picture can be embedded by other models later.
With --json: {name, aliases, note, people, needsPhotos, otherFaces: {count, withPicture}, threshold,
faces: [{number, source, quality, similarity, odd, picture}], corrections: [{clipId, path, verdict, at, found, ranges}], damaged}.
picture is a data URI, or null; otherFaces counts faces that only other models have embedded; people are the numbers of the people who
were given the name.`

/** Prints what a name rests on. */
export async function tellName(
  opened: FilledArchive,
  name: string,
  {
    html,
    json,
    reason,
  }: {
    readonly html?: string | undefined
    readonly json: boolean
    readonly reason: ReasonOptions
  },
): Promise<void> {
  const shown = showName(opened, name, note)
  tellDamaged(opened.archive, shown.damaged)
  const viewed = { action: 'view-person' as const, parts: [namePart(shown.name)] }
  const exported = { action: 'export' as const, details: { format: 'html' }, parts: [namePart(shown.name)] }
  await audited(opened.archive.dir, () => (html === undefined ? [viewed] : [viewed, exported]), reason)
  if (html !== undefined) writeSheet(html, nameSheet(shown))
  if (json) printJson(shownNameJson(shown))
  else printShownName(shown)
}
