import type { ClipFiles } from '../../../index/clips/clip-files.js'
import type { FileStamp } from '../../../index/store/file-facts.js'
import { isUrl } from '../../../index/store/whole-path.js'
import { clipName } from '../../../pipeline/common/display-name.js'
import { sha256OfFile } from '../../../pipeline/common/digest.js'
import { CameoError, messageOf } from '../../../pipeline/common/errors.js'
import { createClipAccess, everywhere, type ClipAccess } from '../../remote-clips/clip-access.js'
import type { OpenedClip } from '../../remote-clips/opened-clip.js'
import { BoundedMap } from './bounded-map.js'

export interface OpenerOptions {
  /** Private; for links to open files, and for fetched clips. */
  readonly scratchDir: string
  /** `host`, `host:port` or `s3://bucket` from which clips may be fetched. */
  readonly clipHosts: readonly string[]
  readonly scratchBytes: number
}

/** Opens the files of clips, and no others: a file that another one has replaced is refused. */
export class ClipOpener {
  readonly #access: ClipAccess
  /** Files whose content was checked, because they were moved or touched since they were ingested. */
  readonly #checked = new BoundedMap<true>(10_000)

  constructor({ scratchDir, clipHosts, scratchBytes }: OpenerOptions) {
    const rules = { roots: [everywhere], hosts: new Set(clipHosts) }
    this.#access = createClipAccess({ rules, scratchDir, scratchBytes })
  }

  /**
   * Opens the first file of a clip that is there. The caller releases it. Its path leads to the open file, even if another one takes
   * its place.
   * @throws CLIP_GONE, CLIP_CHANGED, CLIP_UNREADABLE, CLIP_NOT_ALLOWED, CLIP_FETCH_*
   */
  async open({ clipId, files }: ClipFiles, signal: AbortSignal): Promise<OpenedClip> {
    let failure: Error | undefined
    for (const { path, stamp } of files) {
      try {
        return await this.#openFile(clipId, path, stamp, signal)
      } catch (error) {
        // That a file was exchanged says more than that another one is gone.
        if (failure === undefined || !isGone(error))
          failure = error instanceof Error ? error : new Error(messageOf(error))
      }
    }
    throw failure ?? new CameoError('CLIP_GONE', 'no file of this clip is known')
  }

  async #openFile(clipId: string, path: string, stamp: FileStamp, signal: AbortSignal): Promise<OpenedClip> {
    const opened = await this.#access.open(path, isUrl(path) ? stamp : undefined, signal)
    try {
      if (!isSameFile(opened.stamp, stamp)) await this.#checkContent(clipId, path, opened, stamp)
      return opened
    } catch (error) {
      opened.release()
      throw error
    }
  }

  /** A file that was only moved or touched still has its content. */
  async #checkContent(clipId: string, path: string, opened: OpenedClip, stamp: FileStamp): Promise<void> {
    const changed = () => new CameoError('CLIP_CHANGED', `${clipName(path)} is no longer the file that was ingested`, { retriable: false }) // prettier-ignore
    if (opened.stamp.sizeBytes !== stamp.sizeBytes) throw changed()
    const key = [clipId, ...fields.map((field) => opened.stamp[field])].join(' ')
    if (this.#checked.get(key) === true) return
    if ((await sha256OfFile(opened.path)) !== clipId) throw changed()
    opened.checkUnchanged()
    this.#checked.set(key, true)
  }
}

const fields = ['device', 'inode', 'sizeBytes', 'mtimeNs', 'ctimeNs'] as const

const isSameFile = (a: FileStamp, b: FileStamp) => fields.every((field) => a[field] === b[field])

const isGone = (error: unknown) => error instanceof CameoError && error.code === 'CLIP_GONE'
