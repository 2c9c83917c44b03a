/**
 * Finds clips by the names that lists give them: a file name, with or without folders before it and with or without its
 * extension. Names are compared in one spelling (`plainName`).
 */
export interface ClipNames {
  /** Clips whose path ends so; several where files in different folders share a name. None where the name is not clear. */
  find(name: string): readonly number[]
  /** File names that a name without its extension fits, where they are several; else none. */
  rivals(name: string): readonly string[]
  /** Whether a clip has that very file name, extension and all. */
  hasFile(name: string): boolean
  /** Clips of a series. */
  inSeries(series: string): readonly number[]
  /** Of some of the clips, for messages. */
  readonly examples: readonly string[]
}
