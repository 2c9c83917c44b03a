import { formatCount, formatDuration, formatTimestamp } from './format.js'
import { html, Markup, type Content } from './markup.js'
import { shownAtMost, type ReportSettings, type ReportWarning } from './report-data.js'
import { style } from './style.js'

export interface Section {
  readonly id: string
  readonly title: string
  /** A section without a body is omitted. */
  readonly body: Markup | undefined
}

/** A key figure with an explanation. */
export interface Tile {
  readonly name: string
  readonly value: string
  readonly detail: string
}

export interface Page {
  readonly title: string
  readonly startedAt: string
  readonly durationS?: number | undefined
  /** The result in one or two sentences, for quoting. */
  readonly summary: Content
  readonly tiles: readonly Tile[]
  readonly sections: readonly Section[]
  /** Names of the files next to the page that contain the same data. */
  readonly dataFiles: readonly string[]
}

/** A self-contained page: no scripts, no network (its content security policy forbids both). */
export function pageHtml({ title, summary, tiles, sections, dataFiles, ...run }: Page): string {
  const shown = sections.filter(({ body }) => body !== undefined)
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta
          http-equiv="Content-Security-Policy"
          content="default-src 'none'; style-src 'unsafe-inline'; img-src data:"
        />
        <meta name="color-scheme" content="light dark" />
        <link rel="icon" href="data:," />
        <title>${title}</title>
        <style>
          ${new Markup(style)}
        </style>
      </head>
      <body>
        <a class="skip" href="#content">Skip to the content</a>
        <header>
          <h1>${title}</h1>
          <p class="when">${whenOf(run)}</p>
          <p class="summary">${summary}</p>
          <dl class="tiles">
            ${tiles.map(
              ({ name, value, detail }) =>
                html`<div>
                  <dt>${name}</dt>
                  <dd>${value}<small>${detail}</small></dd>
                </div> `,
            )}
          </dl>
          <nav aria-label="Sections">
            <ul>
              ${shown.map(({ id, title: name }) => html`<li><a href="#${id}">${name}</a></li> `)}
            </ul>
          </nav>
        </header>
        <main id="content">
          ${shown.map(
            ({ id, title: name, body }) =>
              html`<section id="${id}" aria-labelledby="${id}-title">
                <h2 id="${id}-title">${name}</h2>
                ${body}
              </section> `,
          )}
        </main>
        <footer>
          <p>
            Made by Cameo. The same data as files:
            ${dataFiles.map((name, i) => html`${i === 0 ? '' : ', '}<a href="${name}">${name}</a>`)}.
          </p>
        </footer>
      </body>
    </html> `.text.replace(/^ +/gm, '')
}

function whenOf({ startedAt, durationS }: Pick<Page, 'startedAt' | 'durationS'>): Markup {
  const took = durationS === undefined ? '' : `, took ${formatDuration(durationS)}`
  return html`<time datetime="${startedAt}">${formatTimestamp(startedAt)}</time>${took}`
}

export function warningsBody(warnings: readonly ReportWarning[]): Markup | undefined {
  if (warnings.length === 0) return undefined
  return html`<ul class="warnings">
    ${warnings.map(({ message, count, examples = [] }) => {
      const listed = examples.slice(0, shownAtMost)
      const all = count ?? examples.length
      const rest = listed.length < all ? ` ${listed.length} of ${formatCount(all)}` : ''
      return html`<li>
        ${count === undefined ? '' : html`<strong>${formatCount(count)}</strong> `}${message}
        ${
          listed.length === 0
            ? ''
            : html`<details>
                <summary>Show${rest}</summary>
                <ul>
                  ${listed.map((example) => html`<li><code>${example}</code></li> `)}
                </ul>
              </details>`
        }
      </li> `
    })}
  </ul>`
}

export function settingsBody(settings: ReportSettings): Markup | undefined {
  return Object.keys(settings).length === 0
    ? undefined
    : html`<div class="card settings">${keyValues(settings)}</div>`
}

type Setting = ReportSettings[string]

function keyValues(settings: Readonly<Record<string, Setting>>): Markup {
  return html`<dl>
    ${Object.entries(settings).map(
      ([key, value]) =>
        html`<div>
          <dt>${key}</dt>
          <dd>${settingValue(value)}</dd>
        </div> `,
    )}
  </dl>`
}

function settingValue(value: Setting): Markup | string {
  if (value === null) return 'none'
  if (Array.isArray(value))
    return value.every((item) => item === null || typeof item !== 'object')
      ? value.map(String).join(', ')
      : html`<ol>
          ${value.map((item) => html`<li>${settingValue(item)}</li> `)}
        </ol>`
  if (typeof value === 'object') return keyValues(value)
  return typeof value === 'boolean' ? (value ? 'yes' : 'no') : String(value)
}
