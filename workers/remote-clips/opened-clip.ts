import type { FileStamp } from '../../index/store/file-facts.js'

/** A clip's file while it is processed. */
export interface OpenedClip {
  readonly path: string
  readonly stamp: FileStamp
  /** Throws CLIP_CHANGED where the file is another than it was. */
  checkUnchanged(): void
  /** Fetched files can be thrown away from now on. */
  release(): void
}
