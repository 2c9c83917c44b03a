import { errorRatesSection, figuresSection } from './figures.js'
import {
  formatCount,
  formatDuration,
  formatGain,
  formatScore,
  formatTimestamp,
  formatCounted,
} from './format.js'
import { ladderSection } from './ladder.js'
import { html, Markup } from './markup.js'
import { chosenIndex, shownAtMost, type EvaluationReport, type ReportSettings } from './report-data.js'
import { style } from './style.js'
import { worstIdentitiesSection, worstQueriesSection, type ThumbnailOf } from './worst-sections.js'

interface Section {
  readonly id: string
  readonly title: string
  readonly body: Markup | undefined
}

/** The report as one page that needs nothing else: no scripts, no network (its content security policy forbids both). */
export function reportHtml(report: EvaluationReport, thumbnailOf: ThumbnailOf = () => undefined): string {
  const sections: readonly Section[] = [
    { id: 'warnings', title: 'Warnings', body: warningsBody(report) },
    { id: 'ladder', title: 'Ladder', body: ladderSection(report) },
    { id: 'curves', title: 'Curves and distributions', body: figuresSection(report) },
    { id: 'error-rates', title: 'Operating points', body: errorRatesSection(report) },
    { id: 'worst-identities', title: 'Worst identities', body: worstIdentitiesSection(report) },
    { id: 'worst-queries', title: 'What went wrong', body: worstQueriesSection(report, thumbnailOf) },
    { id: 'settings', title: 'Run settings', body: settingsBody(report.settings) },
  ]
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
        <title>${report.title}</title>
        <style>
          ${new Markup(style)}
        </style>
      </head>
      <body>
        <a class="skip" href="#content">Skip to the content</a>
        <header>
          <h1>${report.title}</h1>
          <p class="when">${whenOf(report)}</p>
          <p class="summary">${summaryOf(report)}</p>
          ${tiles(report)}
          <nav aria-label="Sections">
            <ul>
              ${shown.map(({ id, title }) => html`<li><a href="#${id}">${title}</a></li> `)}
            </ul>
          </nav>
        </header>
        <main id="content">
          ${shown.map(
            ({ id, title, body }) =>
              html`<section id="${id}" aria-labelledby="${id}-title">
                <h2 id="${id}-title">${title}</h2>
                ${body}
              </section> `,
          )}
        </main>
        <footer>
          <p>
            Made by Cameo. The same data as files: <a href="report.json">report.json</a>,
            <a href="per-identity.csv">per-identity.csv</a>.
          </p>
        </footer>
      </body>
    </html> `.text.replace(/^ +/gm, '')
}

function whenOf({ startedAt, durationS }: EvaluationReport): Markup {
  const took = durationS === undefined ? '' : `, took ${formatDuration(durationS)}`
  return html`<time datetime="${startedAt}">${formatTimestamp(startedAt)}</time>${took}`
}

/** The result in a sentence or two, as it would be quoted. */
function summaryOf(report: EvaluationReport): Markup | undefined {
  const chosen = chosenIndex(report)
  const step = report.steps[chosen]
  const first = report.steps[0]
  if (step === undefined || first === undefined) return undefined
  const [low, high] = step.ci95
  const nothingFound = report.identities.filter(({ found }) => found[chosen] === 0).length
  return html`MAP@${report.depth} is <strong>${formatScore(step.map)}</strong> (95% confidence interval
    ${formatScore(low)} to ${formatScore(high)}) over
    ${formatCounted(report.identities.length, 'identity', 'identities')} with
    “${step.name}”${chosen > 0 ? html`, ${formatGain(step.map - first.map)} against “${first.name}”` : ''}.
    ${nothingFound > 0 ? `For ${formatCounted(nothingFound, 'identity', 'identities')} no clip was found.` : ''}`
}

function tiles(report: EvaluationReport): Markup {
  const chosen = chosenIndex(report)
  const step = report.steps[chosen]
  const positives = report.identities.reduce((sum, identity) => sum + identity.positives, 0)
  const found = report.identities.reduce((sum, identity) => sum + (identity.found[chosen] ?? 0), 0)
  const equalError = report.scores?.equalError
  const tile = (name: string, value: string, detail: string) =>
    html`<div>
      <dt>${name}</dt>
      <dd>${value}<small>${detail}</small></dd>
    </div> `
  return html`<dl class="tiles">
    ${
      step === undefined
        ? ''
        : tile(`MAP@${report.depth}`, formatScore(step.map), step.ci95.map(formatScore).join(' to '))
    }
    ${tile('Identities', formatCount(report.identities.length), `${formatCount(positives)} positive clips`)}
    ${tile(
      `Found in the top ${report.depth}`,
      `${((100 * found) / positives).toFixed(1)}%`,
      `${formatCount(found)} positive clips`,
    )}
    ${
      equalError === undefined
        ? ''
        : tile(
            'Equal error rate',
            formatScore(equalError.eer),
            `at threshold ${formatScore(equalError.threshold)}`,
          )
    }
  </dl>`
}

function warningsBody({ warnings }: EvaluationReport): Markup | undefined {
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

function settingsBody(settings: ReportSettings): Markup | undefined {
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
