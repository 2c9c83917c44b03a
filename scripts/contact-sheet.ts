import { basename } from 'node:path'
import { html, Markup } from '../index/evaluate/report/markup.js'
import type { ClipMatch } from '../index/search.js'
import { clipLink } from './clip-link.js'
import { dataUri, formatTime } from './output.js'

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
`

/** A clip of an answer, with what is to be known of it besides, a sentence each. */
export type SheetMatch = ClipMatch & { readonly notes: readonly string[] }

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
          ${summary.split('\n').map((line) => html`<p>${line}</p>`)}
        </div>
      </header>
      <ol>
        ${matches.map((match, index) => card(match, index + 1))}
      </ol>
    </html> `.text.replace(/^ +/gm, '')
}

function card({ path, isMissing, score, ranges, thumbnailJpeg, notes }: SheetMatch, rank: number): Markup {
  const image =
    thumbnailJpeg === undefined ? undefined : html`<img alt="face ${rank}" src="${dataUri(thumbnailJpeg)}" />`
  const times = ranges.map(({ startS, endS }) => `${formatTime(startS)}–${formatTime(endS)}`).join(', ')
  const share = Math.round(Math.max(0, Math.min(1, score)) * 100)
  return html`<li>
    ${image}
    <div>
      ${nameOf(path, isMissing, rank)}
      <div class="bar"><i style="width:${share}%"></i></div>
      <small>score ${score.toFixed(3)} · ${times}</small>
      ${notes.map((note) => html`<small class="note">${note}</small>`)}
    </div>
  </li> `
}

/** A right-to-left name stays within itself. */
function nameOf(path: string, isMissing: boolean, rank: number): Markup {
  const href = clipLink(path)
  const name = html`${rank}. <bdi>${basename(path)}</bdi>`
  // A file that is gone is no link: there is nothing at its path.
  if (isMissing) return html`<b title="was ${path}">${name} (missing)</b>`
  return href === undefined
    ? html`<span class="clip" title="${path}">${name}</span>`
    : html`<a class="clip" href="${href}" title="${path}">${name}</a>`
}
