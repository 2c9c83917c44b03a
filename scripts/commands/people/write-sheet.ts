import { CameoError, messageOf } from '../../../pipeline/common/errors.js'
import { writePrivateFile } from '../../../pipeline/common/private-files.js'
import { note } from '../../cli/output.js'

/** Writes a contact sheet, and says so. @throws USAGE */
export function writeSheet(file: string, html: string): void {
  try {
    writePrivateFile(file, html)
  } catch (cause) {
    throw new CameoError('USAGE', `the contact sheet ${file} cannot be written: ${messageOf(cause)}`, {
      cause,
    })
  }
  note(`wrote ${file}`)
}
