import type { FastifyRequest } from 'fastify'
import type { ClipFiles, FoundTrack } from '../../../index/clips/clip-files.js'
import { isBelowAny } from '../../../index/store/whole-path.js'
import type { RequestActor } from '../../../index/access/request-actor.js'
import { CameoError } from '../../../pipeline/common/errors.js'
import type { ArchiveHost } from '../hosts/archive-host.js'

type Asker = Pick<FastifyRequest, 'actor'>
type Reader = Pick<ArchiveHost, 'call'>

/** Whether one of the paths lies below a folder that the asker sees. */
export const isVisible = ({ actor: { folders } }: Asker, paths: readonly string[]): boolean =>
  folders === 'all' || paths.some((path) => isBelowAny(folders, path))

/**
 * The files of a clip that the asker may see; only those below his folders. What he may not see answers as what is not there.
 * @throws CLIP_UNKNOWN
 */
export async function requireVisibleClip(reader: Reader, asker: Asker, clipId: string): Promise<ClipFiles> {
  const unknown = () => new CameoError('CLIP_UNKNOWN', `the archive has no clip "${clipId}"`)
  const clip = await reader.call('clipFiles', clipId).catch((error: unknown) => {
    throw error instanceof CameoError && error.code === 'CLIP_UNKNOWN' ? unknown() : error
  })
  const files = clip.files.filter(({ path }) => isVisible(asker, [path]))
  if (files.length === 0) throw unknown()
  return { ...clip, files }
}

/** A track of a clip that the asker may see. @throws TRACK_UNKNOWN */
export async function requireVisibleTrack(
  reader: Reader,
  asker: Asker,
  trackId: number,
): Promise<FoundTrack> {
  const track = await reader.call('findTrack', trackId)
  if (!isVisible(asker, track.paths))
    throw new CameoError('TRACK_UNKNOWN', `the archive has no track ${trackId}`)
  return track
}

/**
 * For changes of what belongs to the whole archive: names, and the people into whom tracks were grouped.
 * @throws RIGHT_MISSING
 */
export function requireWholeArchive({ folders, name }: RequestActor): void {
  if (folders !== 'all')
    throw new CameoError(
      'RIGHT_MISSING',
      `this concerns the whole archive, of which ${name} sees only a part`,
    )
}

/**
 * For administration: with a key that sees only a part of the archive, nobody must be able to make a user who sees more. A user
 * who administers can change his own grants, so his do not matter here.
 * @throws RIGHT_MISSING
 */
export function requireWholeKey({ kind, folders, name }: RequestActor): void {
  if (kind === 'key' && folders !== 'all')
    throw new CameoError('RIGHT_MISSING', `the key "${name}" sees only a part of the archive`)
}
