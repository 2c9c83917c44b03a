import { isUnseen } from '../../index/coverage/read-coverage.js'
import type { ClipEntry, ClipList } from '../../index/clips/list-clips.js'
import type { PeopleList, Presence } from '../../index/clips/list-people.js'
import type { PersonInClip } from '../../index/clips/people-of-clip.js'
import type { ShownClip, ShownPerson } from '../../index/clips/show-clip.js'
import { formatTime, spanText } from '../../pipeline/common/time-text.js'
import { counted, dataUri, oneLine, print } from '../cli/output.js'
import { toCoverageJson, unseenLines } from './coverage-text.js'
import { formatRanges } from './hit-text.js'

const personJson = ({ name, personId, score, seenS, trackIds, ranges }: PersonInClip) => ({
  ...{ name: name ?? null, personId: personId ?? null, score: score ?? null, seenS, trackIds },
  ranges: ranges.map(({ score: own, ...range }) => ({ ...range, score: own ?? null })),
})

const shownPersonJson = ({ faces, thumbnailJpeg, ...person }: ShownPerson) => ({
  ...personJson(person),
  faces,
  thumbnail: thumbnailJpeg === undefined ? null : dataUri(thumbnailJpeg),
})

export function shownClipJson(shown: ShownClip) {
  const { clipId, path, isMissing, paths, date, people, threshold, coverage, damaged } = shown
  return {
    ...{ clipId, path, paths, date: date?.toISOString() ?? null, durationS: coverage.durationS ?? null },
    ...(isMissing ? { missing: true } : {}),
    ...{ threshold: threshold.threshold, thresholdReason: threshold.reason },
    people: people.map(shownPersonJson),
    ...{ coverage: toCoverageJson(coverage), damaged },
  }
}

export function clipListJson({ clips, next, threshold, damaged }: ClipList) {
  return {
    clips: clips.map(({ clipId, path, isMissing, durationS, date, people, coverage: { states } }) => ({
      ...{ clipId, path, date: date.toISOString(), durationS: durationS ?? null, states },
      ...(isMissing ? { missing: true } : {}),
      people: people.map(personJson),
    })),
    next: next ?? null,
    ...{ threshold: threshold.threshold, thresholdReason: threshold.reason, damaged },
  }
}

export function peopleListJson({ people, unnamed, next, threshold, damaged }: PeopleList) {
  return {
    ...{ people, unnamed, next: next ?? null },
    ...{ threshold: threshold.threshold, thresholdReason: threshold.reason, damaged },
  }
}

/** Numbered as `cameo play` takes them. */
export function printShown({ clipId, path, isMissing, paths, date, people, coverage }: ShownClip): void {
  print(`${nameOf(path, isMissing)}  (clip ${clipId.slice(0, 12)})`)
  for (const other of paths.filter((each) => each !== path)) print(`     also ${oneLine(other)}`)
  const about = [lengthText(coverage.durationS), ...(date === undefined ? [] : [dateText(date)])]
  print(`     ${about.join(', ')}`)
  for (const [index, person] of people.entries()) {
    const { name, personId, score, ranges } = person
    const who = name === undefined ? namelessText(personId) : oneLine(name)
    const likeness = score === undefined ? '     ' : score.toFixed(3)
    print(`${String(index + 1).padStart(4)} ${likeness}  ${who}: ${formatRanges(ranges)}`)
  }
  if (people.length === 0) print('     nobody was found in it')
  for (const line of unseenLines(coverage)) print(`     ${line}`)
}

const namelessText = (personId: number | undefined) =>
  personId === undefined ? 'unnamed' : `person ${personId}`

export function printClipList({ clips, next }: ClipList): void {
  for (const clip of clips) {
    const against = isUnseen(clip.coverage) ? `; ${clip.coverage.states.join(', ')}` : ''
    print(nameOf(clip.path, clip.isMissing))
    print(`     ${lengthText(clip.durationS)}, ${dateText(clip.date)}: ${whoText(clip)}${against}`)
  }
  if (clips.length === 0) print('no such clip')
  printNext(next)
}

export function printPeopleList({ people, unnamed, next }: PeopleList): void {
  for (const { name, faces, ...presence } of people)
    print(`${oneLine(name)}: ${presenceText(presence)}; enrolled with ${counted(faces, 'face')}`)
  if (people.length === 0) print('nobody with a name')
  if (unnamed.tracks > 0) print(`without a name: ${presenceText(unnamed)}`)
  printNext(next)
}

const presenceText = ({ clips, tracks, seenS }: Presence) =>
  `${counted(clips, 'clip')}, ${counted(tracks, 'track')}, ${spanText(seenS)}`

const nameOf = (path: string, isMissing: boolean) =>
  isMissing ? `missing (was ${oneLine(path)})` : oneLine(path)

const lengthText = (durationS: number | undefined) =>
  durationS === undefined ? 'of unknown length' : formatTime(durationS)

/** Local, as the options take it. */
function dateText(date: Date): string {
  const [month, day] = [date.getMonth() + 1, date.getDate()].map((part) => String(part).padStart(2, '0'))
  return `${date.getFullYear()}-${month}-${day}`
}

function whoText({ people }: ClipEntry): string {
  const names = people.flatMap(({ name, seenS }) =>
    name === undefined ? [] : [`${oneLine(name)} (${spanText(seenS)})`],
  )
  const nameless = people.length - names.length
  const all = [...names, ...(nameless === 0 ? [] : [`${nameless} without a name`])]
  return all.length === 0 ? 'nobody' : all.join(', ')
}

function printNext(next: string | undefined): void {
  if (next !== undefined) print(`there are more: --after "${oneLine(next)}"`)
}
