/** A stretch of a film, in seconds. `endS` is exclusive. */
export interface SpanS {
  readonly startS: number
  readonly endS: number
}

/** The true appearances of people in films. */
export interface Appearances {
  /** By film, then by person. */
  readonly films: ReadonlyMap<string, ReadonlyMap<string, readonly SpanS[]>>
  /** By film: stretches in which no answer counts, for example a dissolve. */
  readonly unsure: ReadonlyMap<string, readonly SpanS[]>
  readonly people: ReadonlySet<string>
}

/** A stored track with the times at which its person was seen. */
export interface TimedTrack {
  readonly film: string
  readonly spans: readonly SpanS[]
}
