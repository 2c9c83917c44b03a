// Restores a backup over an archive, or makes one, and reports when it begins. Its parent kills it.
import { backUp } from '../../index/backup/back-up.js'
import { restore } from '../../index/backup/restore.js'
import { quietCaller } from './people-archive.js'

const [, , what, file = '', archiveDir = ''] = process.argv
process.send?.('begun')
if (what === 'restore') await restore({ file, archiveDir, replace: true }, quietCaller())
else await backUp({ archiveDir, file, overwrite: true }, () => undefined)
process.disconnect()
