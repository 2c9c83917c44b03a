/** A stretch of a film, s; `endS` exclusive. */
export interface SpanS {
  readonly startS: number
  readonly endS: number
}

/** Who is really seen in films, and when. */
export interface Appearances {
  /** By film, then by person. */
  readonly films: ReadonlyMap<string, ReadonlyMap<string, readonly SpanS[]>>
  /** By film: stretches in which no answer counts, such as a dissolve. */
  readonly unsure: ReadonlyMap<string, readonly SpanS[]>
  readonly people: ReadonlySet<string>
}

/** A stored track: when its person was seen. */
export interface TimedTrack {
  readonly film: string
  readonly spans: readonly SpanS[]
}
