import { formatCount, formatCounted, formatRate, formatScore } from './format.js'
import { html, type Content, type Markup } from './markup.js'
import {
  apHistogramPlot,
  errorRatePlot,
  farSwatch,
  formatPower,
  frrSwatch,
  mapSwatch,
  matedSwatch,
  nonMatedSwatch,
  precisionRecallPlot,
  scoreDensityPlot,
  swatchOfStep,
  type Swatch,
} from './plots.js'
import { chosenIndex, type EvaluationReport } from './report-data.js'
import { table } from './table.js'

/** Curves and distributions, two per row if there is space. */
export function figuresSection(report: EvaluationReport): Markup {
  const { scores } = report
  const density = scores === undefined ? undefined : scoreDensityPlot(scores)
  const rates = scores === undefined ? undefined : errorRatePlot(scores)
  return html`<div class="figures">
    ${
      report.precisionRecall.length === 0
        ? undefined
        : figure(
            'Precision and recall',
            precisionRecallPlot(report),
            `Interpolated precision, averaged over identities; recall that an identity does not reach in its top ${report.depth} counts as precision 0.`,
            report.precisionRecall.map(({ step }) => swatchOfStep(report, step)),
          )
    }
    ${figure(
      'Average precision by identity',
      apHistogramPlot(report),
      html`Identities in bins of 0.05, step “${report.chosenStep}”.`,
      [mapSwatch(report.steps[chosenIndex(report)]?.map ?? 0)],
    )}
    ${
      scores === undefined || density === undefined
        ? undefined
        : figure(
            'Scores',
            density,
            `${formatCounted(scores.mated, 'mated score')} (clips with the identity in them) and ${formatCounted(scores.nonMated, 'non-mated one')}.`,
            [matedSwatch, nonMatedSwatch].filter(({ label }) =>
              label === 'mated' ? scores.mated > 0 : scores.nonMated > 0,
            ),
          )
    }
    ${
      scores === undefined || rates === undefined
        ? undefined
        : figure(
            'FAR and FRR against the threshold',
            rates,
            'False acceptance rate: non-mated scores at or above the threshold. False rejection rate: mated scores below it. Rates of 0 have no place on this axis.',
            [...(scores.nonMated > 0 ? [farSwatch] : []), ...(scores.mated > 0 ? [frrSwatch] : [])],
          )
    }
  </div>`
}

export function figure(
  title: string,
  plot: Markup,
  caption: Content,
  legend: readonly Swatch[] = [],
): Markup {
  return html`<figure class="card">
    <h3>${title}</h3>
    ${plot}
    ${
      legend.length === 0
        ? undefined
        : html`<ul class="legend">
            ${legend.map(
              ({ label, color, line }) =>
                html`<li><i style="border-top-color: ${color}; border-top-style: ${line}"></i>${label}</li> `,
            )}
          </ul>`
    }
    <figcaption>${caption}</figcaption>
  </figure> `
}

/** Thresholds for given false acceptance rates. */
export function errorRatesSection({ scores, chosenStep }: EvaluationReport): Markup | undefined {
  if (scores === undefined) return undefined
  if (scores.mated === 0 || scores.nonMated === 0)
    return html`<p class="card">
      ${scores.nonMated === 0 ? 'No non-mated scores' : 'No mated scores'} were given, so there are no
      operating points.
    </p>`
  const { equalError } = scores
  const rows = [
    ...scores.points.map((point) => ({
      ...point,
      name: `FAR ≤ ${formatPower(point.targetFar)}`,
      remark: remarkOn(point, scores.nonMated),
    })),
    ...(equalError === undefined
      ? []
      : [{ ...equalError, name: 'Equal error rate', remark: `EER ${formatScore(equalError.eer)}` }]),
  ]
  return table(
    html`Step “${chosenStep}”. The lowest threshold that holds the rate; a clip is accepted from this score
    on.`,
    'Operating points',
    [
      { name: 'Operating point', header: true, cell: ({ name }) => name },
      { name: 'Threshold', number: true, cell: ({ threshold }) => formatScore(threshold) },
      { name: 'FAR', number: true, cell: ({ far }) => formatRate(far) },
      { name: 'FRR', number: true, cell: ({ frr }) => formatRate(frr) },
      { name: 'TAR', number: true, cell: ({ frr }) => formatRate(1 - frr) },
      { name: 'False accepts', number: true, cell: ({ falseAccepts }) => formatCount(falseAccepts) },
      { name: 'Remark', prose: true, cell: ({ remark }) => remark },
    ],
    rows,
  )
}

function remarkOn(
  { measurable, falseAccepts }: { readonly measurable: boolean; readonly falseAccepts: number },
  nonMated: number,
): string {
  if (!measurable) return `cannot be measured with ${formatCounted(nonMated, 'non-mated score')}`
  return falseAccepts < 30 ? 'a rough guess: fewer than 30 false accepts' : ''
}
