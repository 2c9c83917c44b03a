import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { openAccess } from '../../../index/access/access.js'
import { createApiKey } from '../../../index/access/api-keys.js'
import { changeSettings } from '../../../index/access/settings.js'
import { createUser } from '../../../index/access/users.js'
import { openArchive } from '../../../index/archive/open-archive.js'
import { inTransaction } from '../../../index/store/transaction.js'
import { fillWithTracks } from '../people/synthetic.js'
import { note } from '../../cli/output.js'

/** Like photos of people: see `npm run bench:people`. */
const spread = { withinMean: 0.55, withinDeviation: 0.12, betweenDeviation: 0.06 }

/** Makes an archive of so many clips with one track each, unless there is one. @returns an API key of a curator */
export async function prepareArchive(archive: string, tracks: number): Promise<string> {
  if (!existsSync(join(archive, 'cameo.sqlite'))) {
    note(`making ${tracks} tracks`)
    fillWithTracks(archive, tracks, spread)
    nameFiles(archive, tracks)
  }
  const access = openAccess(archive, { create: true })
  try {
    changeSettings(access, { requestsPerMinute: 1e9, searchesPerMinute: 1e9, uploadsPerMinute: 1e9 })
    const user = await createUser(access, { name: `bench ${Date.now()}`, roles: ['curator'] })
    const expiresAt = new Date(Date.now() + 3600_000)
    return createApiKey(access, { userId: user.userId, name: 'bench', roles: ['curator'], expiresAt }).text
  } finally {
    access.close()
  }
}

/** Files of clips, without which an answer would leave them out. */
function nameFiles(dir: string, tracks: number): void {
  const archive = openArchive(dir)
  try {
    const { rootId } = archive.files.rootFor('/films')
    inTransaction(archive.database, () => {
      for (let i = 0; i < tracks; i++) {
        const stamp = { device: '1', inode: `${i}`, sizeBytes: 1, mtimeNs: '1700000000000000000' }
        archive.files.record(rootId, `${i}.mp4`, stamp, i.toString(16).padStart(64, '0'))
      }
    })
  } finally {
    archive.close()
  }
}

/** Random tracks, the same for each run of a number. @returns an id, from 1 */
export const trackOf = (i: number, tracks: number): number => 1 + ((i * 2_654_435_761) % tracks)
