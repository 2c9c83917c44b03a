import { errorRatesSection, figuresSection } from './figures.js'
import { formatCount, formatGain, formatScore, formatCounted } from './format.js'
import { ladderSection } from './ladder.js'
import { html, type Markup } from './markup.js'
import { pageHtml, settingsBody, warningsBody, type Tile } from './page.js'
import { chosenIndex, reportFiles, type EvaluationReport } from './report-data.js'
import { worstIdentitiesSection, worstQueriesSection, type ThumbnailOf } from './worst-sections.js'

/** Renders the report as one page. */
export function reportHtml(report: EvaluationReport, thumbnailOf: ThumbnailOf = () => undefined): string {
  const { title, startedAt, durationS } = report
  return pageHtml({
    ...{ title, startedAt, durationS },
    summary: summaryOf(report),
    tiles: tilesOf(report),
    sections: [
      { id: 'warnings', title: 'Warnings', body: warningsBody(report.warnings) },
      { id: 'ladder', title: 'Ladder', body: ladderSection(report) },
      { id: 'curves', title: 'Curves and distributions', body: figuresSection(report) },
      { id: 'error-rates', title: 'Operating points', body: errorRatesSection(report) },
      { id: 'worst-identities', title: 'Worst identities', body: worstIdentitiesSection(report) },
      { id: 'worst-queries', title: 'What went wrong', body: worstQueriesSection(report, thumbnailOf) },
      { id: 'settings', title: 'Run settings', body: settingsBody(report.settings) },
    ],
    dataFiles: [reportFiles.json, reportFiles.csv],
  })
}

/** The result in one or two sentences, for quoting. */
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

function tilesOf(report: EvaluationReport): Tile[] {
  const chosen = chosenIndex(report)
  const step = report.steps[chosen]
  const positives = report.identities.reduce((sum, identity) => sum + identity.positives, 0)
  const found = report.identities.reduce((sum, identity) => sum + (identity.found[chosen] ?? 0), 0)
  const equalError = report.scores?.equalError
  const tile = (name: string, value: string, detail: string): Tile => ({ name, value, detail })
  return [
    ...(step === undefined
      ? []
      : [tile(`MAP@${report.depth}`, formatScore(step.map), step.ci95.map(formatScore).join(' to '))]),
    tile('Identities', formatCount(report.identities.length), `${formatCount(positives)} positive clips`),
    tile(
      `Found in the top ${report.depth}`,
      `${((100 * found) / positives).toFixed(1)}%`,
      `${formatCount(found)} positive clips`,
    ),
    ...(equalError === undefined
      ? []
      : [
          tile(
            'Equal error rate',
            formatScore(equalError.eer),
            `at threshold ${formatScore(equalError.threshold)}`,
          ),
        ]),
  ]
}
