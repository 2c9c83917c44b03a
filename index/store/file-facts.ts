/** Identifies a file without reading it. Numbers are text, because inodes and nanoseconds exceed a double. */
export interface FileStamp {
  readonly device: string
  readonly inode: string
  readonly sizeBytes: number
  readonly mtimeNs: string
  /**
   * When the inode last changed. `cp -p` and `touch` cannot set it back. A new name or link changes it too. Absent if
   * it is not known, for example for a downloaded file.
   */
  readonly ctimeNs?: string | undefined
}

export interface FileFailure {
  readonly path: string
  readonly clipId: string | null
  readonly code: string
  readonly message: string
}

/** A path at which a clip was found. */
export interface Place {
  readonly rootId: number
  readonly relativePath: string
  /** Root and relative path joined. A URL if the root is a URL. */
  readonly path: string
  /** From the stamp of the file. */
  readonly device: string
}
