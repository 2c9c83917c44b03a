import { readFileSync } from 'node:fs'
import { sha256OfBytes } from '../../pipeline/common/digest.js'
import type { ShownClip } from '../clips/show-clip.js'
import type { EditHit } from '../editing/hits.js'
import type { ShownGroup } from '../people/show-person.js'
import type { SearchReport } from '../search/search-archive.js'
import type { AuditPart, JsonObject } from './audit-entry.js'
import type { AuditLog } from './audit-log.js'
import type { UseEntry } from './record-use.js'

/*
 * What the log says about the use of an archive. Each part names only its own subject: when one subject is forgotten, no part
 * of another one still names it.
 */

export const namePart = (name: string, content: JsonObject = {}): AuditPart => ({
  subject: { kind: 'name', label: name },
  content: { name, ...content },
})

export const clipPart = (clipId: string, content: JsonObject = {}): AuditPart => ({
  subject: { kind: 'clip', label: clipId },
  content: { clipId, ...content },
})

export const groupPart = (personId: number, content: JsonObject = {}): AuditPart => ({
  subject: { kind: 'group', label: `${personId}` },
  content: { personId, ...content },
})

export interface SearchUse {
  readonly report: SearchReport
  /** The enrolled name of a query by name: an alias is not kept. */
  readonly name?: string | undefined
  /** Files of a query by photos. */
  readonly photos?: readonly string[] | undefined
  /** Further names that were asked for. */
  readonly others: readonly string[]
}

/** A search: for whom, and which clips it found. */
export function searchEntry(log: AuditLog, { report, name, photos = [], others }: SearchUse): UseEntry {
  const { query, hits, threshold } = report
  const found = [...hits.matches, ...(hits.weak ?? [])]
  const asked: AuditPart[] = [
    ...(name === undefined ? [] : [namePart(name, { role: 'query' })]),
    ...photos.map((path): AuditPart => {
      const digest = log.digestOfQuery(sha256OfBytes(readFileSync(path)))
      return { subject: { kind: 'photo', label: digest }, content: { role: 'query', digest, path } }
    }),
    ...(query.clipId === undefined ? [] : [clipPart(query.clipId, { role: 'query', path: query.value })]),
    ...others.map((other) => namePart(other, { role: 'company' })),
  ]
  return {
    action: 'search',
    details: {
      by: query.kind,
      matches: hits.matches.length,
      weak: hits.weak?.length,
      threshold: threshold.threshold,
      tracksSearched: report.answer.tracksSearched,
    },
    parts: [
      ...asked,
      ...found.map(({ match: { clipId, path, score, ranges } }) =>
        clipPart(clipId, {
          ...{ path, score },
          ranges: ranges.map(({ startS, endS }) => [startS, endS]),
        }),
      ),
    ],
  }
}

/** Somebody looked at who is in a clip. */
export const viewClipEntry = ({ clipId, path, people }: ShownClip): UseEntry => ({
  action: 'view-clip',
  details: { people: people.length },
  parts: [
    clipPart(clipId, { path }),
    ...people.flatMap(({ name }) => (name === undefined ? [] : [namePart(name)])),
  ],
})

/** Somebody looked at the clips of a person. */
export const viewPersonEntry = ({ person: { personId, name }, clips }: ShownGroup): UseEntry => ({
  action: 'view-person',
  details: { clips: clips.length },
  parts: [
    groupPart(personId),
    ...(name === undefined ? [] : [namePart(name)]),
    ...clips.map(({ clipId, path }) => clipPart(clipId, { path })),
  ],
})

/** Clips that left the archive in a file. @param names of people that the file tells of */
export function exportEntry(
  format: string,
  hits: readonly EditHit[],
  names: readonly string[] = [],
): UseEntry {
  const clips = new Map(hits.map(({ clipId, path }) => [clipId, path]))
  return {
    action: 'export',
    details: { format, clips: clips.size, hits: hits.length },
    parts: [
      ...names.map((name) => namePart(name)),
      ...[...clips].map(([clipId, path]) => clipPart(clipId, { path })),
    ],
  }
}
