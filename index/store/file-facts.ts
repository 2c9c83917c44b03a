/** What tells a file apart without reading it. Numbers as text: inodes and nanoseconds exceed a double. */
export interface FileStamp {
  readonly device: string
  readonly inode: string
  readonly sizeBytes: number
  readonly mtimeNs: string
  /**
   * When the file's node changed, which `cp -p` and `touch` cannot set back; a new name or link changes it, too. Absent where none is
   * known, as of what is fetched.
   */
  readonly ctimeNs?: string | undefined
}

export interface FileFailure {
  readonly path: string
  readonly clipId: string | null
  readonly code: string
  readonly message: string
}

/** A path that a content was met at. */
export interface Place {
  readonly rootId: number
  readonly relativePath: string
  /** The two joined; a URL where the root is one. */
  readonly path: string
  /** Of the file's stamp. */
  readonly device: string
}
