import { formatCounted, formatCount, formatScore } from './format.js'
import { html, type Content, type Markup } from './markup.js'
import { shownAtMost, type EvaluationReport, type WorstIdentity } from './report-data.js'
import { table } from './table.js'

/** Returns the JPEG of an identity's best track in a clip. Undefined if there is none. */
export type ThumbnailOf = (identity: string, clip: string) => Uint8Array | undefined

export function worstIdentitiesSection(report: EvaluationReport): Markup | undefined {
  const shown = report.worst.slice(0, shownAtMost)
  if (shown.length === 0) return undefined
  const nameOf = namesOf(report)
  return table(
    html`The ${shown.length === 1 ? 'identity' : `${shown.length} identities`} with the lowest AP, of
    ${formatCount(report.identities.length)}; step “${report.chosenStep}”. All of them are in
    per-identity.csv.`,
    'Worst identities',
    [
      { name: 'Identity', header: true, cell: titleOf },
      { name: 'AP', number: true, cell: ({ ap }) => formatScore(ap) },
      { name: 'Positives', number: true, cell: ({ positives }) => formatCount(positives) },
      { name: `Found in top ${report.depth}`, number: true, cell: ({ found }) => formatCount(found) },
      { name: 'In their way', prose: true, cell: (worst) => inTheWay(worst, nameOf) },
    ],
    shown,
  )
}

type NameOf = (identity: string) => string

function namesOf({ identities }: EvaluationReport): NameOf {
  const names = new Map(identities.map(({ identity, name }) => [identity, name]))
  return (identity) => names.get(identity) ?? `identity ${identity}`
}

function titleOf({ identity, name }: Pick<WorstIdentity, 'identity' | 'name'>): Markup {
  return name === undefined ? html`${identity}` : html`${name} <small class="id">${identity}</small>`
}

function inTheWay({ wrongAbove, confusedWith, positives, found }: WorstIdentity, nameOf: NameOf): string {
  if (wrongAbove === 0)
    return found < positives
      ? `nothing: ${formatCounted(positives - found, 'positive', 'positives')} not ranked`
      : 'nothing'
  const whose = confusedWith
    .map(
      ({ belongsTo, clips }) =>
        `${belongsTo === undefined ? 'strangers' : nameOf(belongsTo)} (${formatCount(clips)})`,
    )
    .join(', ')
  const listed = confusedWith.reduce((sum, { clips }) => sum + clips, 0)
  const more = listed > 0 && listed < wrongAbove ? ', others' : ''
  return `${formatCounted(wrongAbove, 'wrong clip', 'wrong clips')}${whose === '' ? '' : `: ${whose}${more}`}`
}

/** For each of the worst identities: the first wrong clips above its positives, and the first missed clips. */
export function worstQueriesSection(report: EvaluationReport, thumbnailOf: ThumbnailOf): Markup | undefined {
  const shown = report.worst
    .slice(0, shownAtMost)
    .filter(({ wrong, missed }) => wrong.length + missed.length > 0)
  if (shown.length === 0) return undefined
  const nameOf = namesOf(report)
  return html`<div class="queries">
    ${shown.map((worst) => query(worst, nameOf, (clip) => thumbnailOf(worst.identity, clip)))}
  </div>`
}

function query(
  worst: WorstIdentity,
  nameOf: NameOf,
  thumbnailOf: (clip: string) => Uint8Array | undefined,
): Markup {
  const missedInAll = worst.positives - worst.found
  return html`<article class="card">
    <h3>${titleOf(worst)} <span class="ap">AP ${formatScore(worst.ap)}</span></h3>
    ${clipList(
      `Wrong, ranked above positives${some(worst.wrong.length, worst.wrongAbove)}`,
      worst.wrong.map(({ clip, rank, score, belongsTo }) => ({
        clip,
        jpeg: thumbnailOf(clip),
        kind: 'wrong' as const,
        detail: html`<b>#${rank}</b>${score === undefined ? undefined : ` ${formatScore(score)}`}<br />${
            belongsTo === undefined ? 'a stranger' : nameOf(belongsTo)
          }`,
      })),
    )}
    ${clipList(
      `Missed positives${some(worst.missed.length, missedInAll)}`,
      worst.missed.map((clip) => ({
        clip,
        jpeg: thumbnailOf(clip),
        kind: 'missed' as const,
        detail: undefined,
      })),
    )}
  </article> `
}

const some = (shown: number, all: number) => (shown < all ? ` (${shown} of ${formatCount(all)})` : '')

interface ShownClip {
  readonly clip: string
  readonly jpeg: Uint8Array | undefined
  readonly kind: 'wrong' | 'missed'
  readonly detail: Content
}

function clipList(title: string, clips: readonly ShownClip[]): Markup | undefined {
  if (clips.length === 0) return undefined
  return html`<h4>${title}</h4>
    <ul class="clips">
      ${clips.map(
        ({ clip, jpeg, kind, detail }) =>
          html`<li class="${kind}">
            ${thumbnail(clip, jpeg)}
            <div><code>${clip}</code>${detail === undefined ? undefined : html`<span>${detail}</span>`}</div>
          </li> `,
      )}
    </ul>`
}

function thumbnail(clip: string, jpeg: Uint8Array | undefined): Markup {
  if (jpeg === undefined) return html`<span class="no-thumbnail">no picture</span>`
  const base64 = Buffer.from(jpeg.buffer, jpeg.byteOffset, jpeg.byteLength).toString('base64')
  return html`<img src="data:image/jpeg;base64,${base64}" alt="Face in ${clip}" width="96" height="96" />`
}
