/**
 * Finds clips by their names in lists: a file name, with or without folders, and with or without its extension. Names
 * are normalised before they are compared (`plainName`).
 */
export interface ClipNames {
  /**
   * Clips with a path that ends with the name. Several if files in different folders share a name. None if the name
   * is ambiguous.
   */
  find(name: string): readonly number[]
  /** The file names that match a name without its extension, if there are several. Otherwise none. */
  rivals(name: string): readonly string[]
  /** True if a clip has exactly this file name, including the extension. */
  hasFile(name: string): boolean
  /** Clips of a series. */
  inSeries(series: string): readonly number[]
  /** Names of some of the clips, for messages. */
  readonly examples: readonly string[]
}
