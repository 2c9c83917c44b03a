import type { FileStamp } from '../../index/store/file-facts.js'

/** A clip's file while it is processed. */
export interface OpenedClip {
  readonly path: string
  readonly stamp: FileStamp
  /** Throws CLIP_CHANGED if the file is no longer the same. */
  checkUnchanged(): void
  /** From now on a fetched file may be deleted. */
  release(): void
}
