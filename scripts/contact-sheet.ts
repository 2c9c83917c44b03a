import { basename } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { ClipMatch } from '../index/search.js'
import { dataUri, formatTime } from './output.js'

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
      ? ''
      : `<img class="query" alt="the person searched for" src="${dataUri(queryJpeg)}">`
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Cameo: ${escapeHtml(title)}</title>
<style>
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
  a { overflow-wrap: anywhere; font-weight: 600; color: inherit; text-decoration: none; }
  a:hover { text-decoration: underline; }
  .bar { height: 4px; border-radius: 2px; background: #8884; margin: .4rem 0; }
  .bar i { display: block; height: 100%; border-radius: 2px; background: #2a8; }
  small { display: block; opacity: .75; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
  .note { opacity: 1; color: #b60; }
</style>
<header>${query}<div><h1>${escapeHtml(title)}</h1>${summary
    .split('\n')
    .map((line) => `<p>${escapeHtml(line)}</p>`)
    .join('')}</div></header>
<ol>
${matches.map((match, index) => card(match, index + 1)).join('\n')}
</ol>
</html>
`
}

function card({ path, isMissing, score, ranges, thumbnailJpeg, notes }: SheetMatch, rank: number): string {
  const image = thumbnailJpeg === undefined ? '' : `<img alt="face ${rank}" src="${dataUri(thumbnailJpeg)}">`
  const times = ranges.map(({ startS, endS }) => `${formatTime(startS)}–${formatTime(endS)}`).join(', ')
  const share = Math.round(Math.max(0, Math.min(1, score)) * 100)
  const name = `${rank}. ${escapeHtml(basename(path))}`
  // A file that is gone is no link: there is nothing at its path.
  const place = isMissing
    ? `<b title="was ${escapeHtml(path)}">${name} (missing)</b>`
    : `<a href="${escapeHtml(pathToFileURL(path).href)}" title="${escapeHtml(path)}">${name}</a>`
  return `<li>${image}<div>${place}
<div class="bar"><i style="width:${share}%"></i></div>
<small>score ${score.toFixed(3)} · ${times}</small>${notes
    .map((note) => `\n<small class="note">${escapeHtml(note)}</small>`)
    .join('')}</div></li>`
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}
