import { formatGain, formatScore } from './format.js'
import { html, type Markup } from './markup.js'
import { verdictOf, type EvaluationReport, type ReportStep, type Verdict } from './report-data.js'
import { table } from './table.js'

const signs: Readonly<Record<Verdict, string>> = { gains: '▲', 'gains nothing': '=', loses: '▼' }

/** Each step with its MAP and its gain over the previous step. */
export function ladderSection(report: EvaluationReport): Markup {
  const span = spanOf(report.steps)
  return table(
    html`MAP@${report.depth} with 95% confidence intervals; the gain is the paired difference to the step
    before, over the same identities. A step gains nothing where the interval of its gain contains 0.`,
    'Ladder',
    [
      {
        name: 'Step',
        header: true,
        cell: (step) =>
          html`<span class="${step.name === report.chosenStep ? 'chosen' : ''}">${step.name}</span>${
              step.name === report.chosenStep && report.steps.length > 1
                ? html` <span class="tag">chosen</span>`
                : undefined
            }${step.note === undefined ? undefined : html`<small>${step.note}</small>`}`,
      },
      { name: 'MAP', number: true, cell: ({ map }) => html`<strong>${formatScore(map)}</strong>` },
      { name: '95% interval', number: true, cell: ({ ci95 }) => intervalText(ci95, formatScore) },
      {
        name: html`<span class="hidden">Interval drawn</span>`,
        cell: (step) => intervalBar(step, span),
      },
      {
        name: 'Gain',
        number: true,
        cell: ({ gain }) => (gain === undefined ? '–' : formatGain(gain.value)),
      },
      {
        name: '95% interval of the gain',
        number: true,
        cell: ({ gain }) => (gain === undefined ? undefined : intervalText(gain.ci95, formatGain)),
      },
      { name: 'Verdict', cell: verdictText },
    ],
    report.steps,
  )
}

function intervalText([low, high]: readonly [number, number], format: (value: number) => string): Markup {
  return html`<span class="interval">${format(low)} to ${format(high)}</span>`
}

function verdictText({ gain }: ReportStep, index: number): Markup {
  if (gain === undefined)
    return html`<span class="verdict">${index === 0 ? 'baseline' : 'not compared'}</span>`
  const verdict = verdictOf(gain)
  return html`<span class="verdict ${verdict.replace(' ', '-')}"
    ><span aria-hidden="true">${signs[verdict]}</span> ${verdict}</span
  >`
}

interface Span {
  readonly from: number
  readonly to: number
}

function spanOf(steps: readonly ReportStep[]): Span {
  const from = Math.min(...steps.map(({ map, ci95 }) => Math.min(map, ci95[0])))
  const to = Math.max(...steps.map(({ map, ci95 }) => Math.max(map, ci95[1])))
  return { from, to: to > from ? to : from + 1 }
}

/** The interval as a bar and MAP as a mark, on the common scale of all steps. */
function intervalBar({ map, ci95: [low, high] }: ReportStep, { from, to }: Span): Markup {
  const percent = (value: number) => ((100 * (value - from)) / (to - from)).toFixed(1)
  return html`<span
    class="bar"
    aria-hidden="true"
    style="--low: ${percent(low)}%; --high: ${percent(high)}%; --map: ${percent(map)}%"
    ><i></i><b></b
  ></span>`
}
