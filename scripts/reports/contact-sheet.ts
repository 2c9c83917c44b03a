import { basename } from 'node:path'
import { html, Markup } from '../../index/evaluate/report/markup.js'
import { clipLink } from './clip-link.js'
import { formatProbability, formatRanges } from './hit-text.js'
import { dataUri } from '../cli/output.js'
import type { ClipMatch } from '../../index/search/clip-match.js'

const style = `
  :root { color-scheme: light dark; font: 15px/1.45 system-ui, sans-serif; }
  body { max-width: 76rem; margin: 2rem auto; padding: 0 1rem; }
  header { display: flex; gap: 1.2rem; align-items: center; margin-bottom: 1.5rem; }
  h1 { font-size: 1.3rem; margin: 0; overflow-wrap: anywhere; }
  p { margin: .2rem 0; opacity: .75; }
  .query { width: 112px; border-radius: 50%; }
  ol { list-style: none; padding: 0; display: grid; grid-template-columns: repeat(auto-fill, minmax(13rem, 1fr)); gap: 1rem; }
  li { border: 1px solid color-mix(in srgb, currentColor 20%, transparent); border-radius: 10px; overflow: hidden; }
  li img { width: 100%; aspect-ratio: 1; object-fit: cover; display: block; background: #8883; }
  li > div { padding: .6rem .8rem .8rem; }
  .clip { overflow-wrap: anywhere; font-weight: 600; color: inherit; text-decoration: none; }
  a:hover { text-decoration: underline; }
  .bar { height: 4px; border-radius: 2px; background: #8884; margin: .4rem 0; }
  .bar i { display: block; height: 100%; border-radius: 2px; background: #2a8; }
  small { display: block; opacity: .75; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
  .note { opacity: 1; color: #b60; }
  .weak { border-style: dashed; }
  .weak img { filter: grayscale(1); }
  .weak .bar i { background: #888; }
`

export interface SheetMatch extends ClipMatch {
  /** Probability that it shows the person; undefined if this was not calibrated. */
  readonly probability: number | undefined
  /** It does not reach the threshold. */
  readonly isWeak: boolean
  /** Further notes, one sentence each. */
  readonly notes: readonly string[]
}

/** An answer as one self-contained HTML page: no scripts, nothing loaded from elsewhere. */
export function contactSheet(
  title: string,
  queryJpeg: Uint8Array | undefined,
  matches: readonly SheetMatch[],
  summary: string,
): string {
  const query =
    queryJpeg === undefined
      ? undefined
      : html`<img class="query" alt="the person searched for" src="${dataUri(queryJpeg)}" />`
  const cards = matches.map((match, index) => card(match, index + 1))
  return page({ title, query, lines: summary.split('\n'), cards })
}

/** A face of a name. */
export interface SheetFace {
  readonly number: number
  readonly path: string
  /** Undefined if no picture was kept. */
  readonly jpeg: Uint8Array | undefined
  readonly text: string
  /** It may show somebody else. */
  readonly isOdd: boolean
}

/** The faces of a name as one self-contained HTML page. */
export function facesPage(title: string, lines: readonly string[], faces: readonly SheetFace[]): string {
  return page({ title, query: undefined, lines, cards: faces.map(faceCard) })
}

const faceCard = ({ number, path, jpeg, text, isOdd }: SheetFace) =>
  html`<li class="${isOdd ? 'weak' : 'match'}">
    ${jpeg === undefined ? undefined : html`<img alt="face ${number}" src="${dataUri(jpeg)}" />`}
    <div>
      <span class="clip" title="${path}">${number}. <bdi>${basename(path)}</bdi></span>
      <small>${text}</small>
      ${isOdd ? html`<small class="note">may show somebody else</small>` : undefined}
    </div>
  </li> `

interface Page {
  readonly title: string
  readonly query: Markup | undefined
  readonly lines: readonly string[]
  readonly cards: readonly Markup[]
}

function page({ title, query, lines, cards }: Page): string {
  return html`<!doctype html>
    <html lang="en">
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width, initial-scale=1" />
      <title>Cameo: ${title}</title>
      <style>
        ${new Markup(style)}
      </style>
      <header>
        ${query}
        <div>
          <h1>${title}</h1>
          ${lines.map((line) => html`<p>${line}</p>`)}
        </div>
      </header>
      <ol>
        ${cards}
      </ol>
    </html> `.text.replace(/^ +/gm, '')
}

function card(match: SheetMatch, rank: number): Markup {
  const { path, isMissing, score, probability, isWeak, ranges, thumbnailJpeg, notes } = match
  const image =
    thumbnailJpeg === undefined ? undefined : html`<img alt="face ${rank}" src="${dataUri(thumbnailJpeg)}" />`
  const likely = probability === undefined ? '' : `${formatProbability(probability)} · `
  const share = Math.round(Math.max(0, Math.min(1, score)) * 100)
  return html`<li class="${isWeak ? 'weak' : 'match'}">
    ${image}
    <div>
      ${nameOf(path, isMissing, rank)}
      <div class="bar"><i style="width:${share}%"></i></div>
      <small>${isWeak ? 'weak, ' : ''}score ${score.toFixed(3)} · ${likely}${formatRanges(ranges)}</small>
      ${notes.map((note) => html`<small class="note">${note}</small>`)}
    </div>
  </li> `
}

/** Isolates a right-to-left name, so that it does not reorder the text around it. */
function nameOf(path: string, isMissing: boolean, rank: number): Markup {
  const href = clipLink(path)
  const name = html`${rank}. <bdi>${basename(path)}</bdi>`
  // A missing file gets no link.
  if (isMissing) return html`<b title="was ${path}">${name} (missing)</b>`
  return href === undefined
    ? html`<span class="clip" title="${path}">${name}</span>`
    : html`<a class="clip" href="${href}" title="${path}">${name}</a>`
}
