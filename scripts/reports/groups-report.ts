import type { GroupPeopleReport } from '../../index/people/grouping.js'
import { nameOfPerson } from '../../index/people/find-person.js'
import type { PeoplePage, PersonSummary } from '../../index/people/list-groups.js'
import type { ShownGroup } from '../../index/people/show-person.js'
import type { PeopleChange } from '../../index/store/people-changes.js'
import { spanText } from '../../pipeline/common/time-text.js'
import { counted, dataUri, oneLine, print } from '../cli/output.js'
import type { SheetMatch } from './contact-sheet.js'
import { formatRanges } from './hit-text.js'

const jpegJson = (jpeg: Uint8Array | undefined) => (jpeg === undefined ? null : dataUri(jpeg))

const summaryJson = ({
  personId,
  name,
  isHidden,
  tracks,
  clips,
  seenS,
  firstSeen,
  lastSeen,
}: PersonSummary) => ({
  ...{ personId, name: name ?? null, hidden: isHidden, tracks, clips, seenS },
  firstSeen: firstSeen?.toISOString() ?? null,
  lastSeen: lastSeen?.toISOString() ?? null,
})

export const peoplePageJson = ({ people, next }: PeoplePage) => ({
  people: people.map((person) => ({ ...summaryJson(person), thumbnail: jpegJson(person.thumbnailJpeg) })),
  next: next ?? null,
})

/** Shaped like the answer of a search, so that `cut` and `play` take it. */
export function shownGroupJson({ person, clips, damaged }: ShownGroup) {
  return {
    query: { kind: 'person', value: nameOfPerson(person) },
    person: summaryJson(person),
    results: clips.map(({ clipId, path, isMissing, score, durationS, ranges, faces, thumbnailJpeg }) => ({
      ...{ clipId, path, score, durationS: durationS ?? null, ranges, faces },
      thumbnail: jpegJson(thumbnailJpeg),
      ...(isMissing ? { missing: true } : {}),
    })),
    damaged,
  }
}

export const changeJson = ({ changeId, at, action, isUndone, people, tracks }: PeopleChange) => ({
  ...{ change: changeId, at, action, people, tracks, undone: isUndone },
})

export function printPeoplePage({ people, next }: PeoplePage): void {
  for (const person of people) print(summaryText(person))
  if (people.length === 0) print('no such people')
  if (next !== undefined) print(`there are more: --after "${next}"`)
}

export function printShownGroup({ person, clips }: ShownGroup): void {
  print(summaryText(person))
  for (const [index, { path, isMissing, score, ranges, clipId }] of clips.entries()) {
    const name = isMissing ? `missing (was ${oneLine(path)})` : oneLine(path)
    print(`${String(index + 1).padStart(4)} ${score.toFixed(3)}  ${name}`)
    print(`            ${formatRanges(ranges)}  (clip ${clipId.slice(0, 12)})`)
  }
}

/** The clips on a contact sheet; a person says who it is. */
export const sheetOfPerson = ({ clips }: ShownGroup): SheetMatch[] =>
  clips.map((clip) => ({ ...clip, probability: undefined, isWeak: false, notes: [] }))

export const groupingText = ({ tracks, grouped, people, added, changed, minSimilarity }: GroupPeopleReport) =>
  `${grouped} of ${counted(tracks, 'track')} show ${counted(people, 'person', 'people')} (${added} new); ` +
  `${counted(changed, 'track')} changed, similarity ${minSimilarity.toFixed(2)} or more`

export const changeText = ({ changeId, at, action, isUndone, people, tracks }: PeopleChange) =>
  `change ${changeId}, ${at}: ${action}${people.length === 0 ? '' : ` of ${shortList(people)}`}` +
  `${tracks === 0 ? '' : `, ${counted(tracks, 'track')}`}${isUndone ? ' (undone)' : ''}`

const shownPeople = 10

function shortList(people: readonly number[]): string {
  const shown = people.slice(0, shownPeople).join(', ')
  return people.length > shownPeople ? `${shown} and ${people.length - shownPeople} more` : shown
}

export function summaryText({
  personId,
  name,
  isHidden,
  tracks,
  clips,
  seenS,
  firstSeen,
  lastSeen,
}: PersonSummary): string {
  const dates = firstSeen === undefined || lastSeen === undefined ? '' : `, ${datesText(firstSeen, lastSeen)}`
  return (
    `${String(personId).padStart(4)}  ${name === undefined ? '(no name)' : oneLine(name)}: ` +
    `${counted(clips, 'clip')}, ${counted(tracks, 'track')}, ${spanText(seenS)}${dates}${isHidden ? ' (hidden)' : ''}`
  )
}

function datesText(first: Date, last: Date): string {
  const [from, to] = [dateText(first), dateText(last)]
  return from === to ? from : `${from} to ${to}`
}

/** Local, as the options take it. */
function dateText(date: Date): string {
  const [month, day] = [date.getMonth() + 1, date.getDate()].map((part) => String(part).padStart(2, '0'))
  return `${date.getFullYear()}-${month}-${day}`
}
