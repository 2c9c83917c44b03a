import { recallLevels } from '../metrics/precision-recall.js'
import { axisStyle, frame, ink, still, xAxis, yAxis } from './axes.js'
import { renderChart, type ChartSeries } from './chart.js'
import { formatScore } from './format.js'
import type { Markup } from './markup.js'
import { chosenIndex, type EvaluationReport, type ReportScores } from './report-data.js'
import { binCounts } from './summarise-scores.js'
import { counted } from '../../../pipeline/common/counted.js'

const matedColor = 'var(--mated)'
const nonMatedColor = 'var(--non-mated)'

const stepColors = 6
const dashes = ['solid', 'dashed', 'dotted'] as const

export interface Swatch {
  readonly label: string
  readonly color: string
  readonly line: (typeof dashes)[number]
}

/**
 * The style of a step, the same in every plot. Steps differ in colour and in dashes, so that they also differ on
 * paper.
 */
export function swatchOfStep(report: EvaluationReport, name: string): Swatch {
  const index = report.steps.findIndex((step) => step.name === name)
  const dash = dashes[(index + Math.floor(index / stepColors)) % dashes.length] ?? 'solid'
  return {
    label: name,
    color: `var(--step-${index % stepColors})`,
    line: name === report.chosenStep ? 'solid' : dash,
  }
}

export const matedSwatch: Swatch = { label: 'mated', color: matedColor, line: 'solid' }
export const nonMatedSwatch: Swatch = { label: 'non-mated', color: nonMatedColor, line: 'solid' }
/** The MAP line in the histogram of AP. */
export const mapSwatch = (map: number): Swatch => ({
  label: `MAP ${formatScore(map)}`,
  color: ink,
  line: 'dotted',
})
export const farSwatch: Swatch = { label: 'FAR', color: nonMatedColor, line: 'dashed' }
export const frrSwatch: Swatch = { label: 'FRR', color: matedColor, line: 'solid' }

export function precisionRecallPlot(report: EvaluationReport): Markup {
  const series = report.precisionRecall.map(({ step, precision }): ChartSeries => {
    const { color, line } = swatchOfStep(report, step)
    const chosen = step === report.chosenStep
    return {
      ...still,
      type: 'line',
      color,
      showSymbol: false,
      z: chosen ? 3 : 2,
      lineStyle: { width: chosen ? 3 : 1.8, type: line },
      data: precision.map((value, i) => [recallLevels[i] ?? 0, value]),
    }
  })
  return renderChart(
    'plot-precision-recall',
    `Interpolated precision against recall, averaged over identities, for ${report.precisionRecall.map(({ step }) => step).join(', ')}`,
    {
      ...frame,
      xAxis: { ...xAxis('Recall'), min: 0, max: 1 },
      yAxis: { ...yAxis('Precision'), type: 'value', min: 0, max: 1 },
      series,
    },
  )
}

const apBins = 20

/** Histogram of the AP of the identities in the chosen step. */
export function apHistogramPlot(report: EvaluationReport): Markup {
  const chosen = chosenIndex(report)
  const counts = binCounts(
    report.identities.map(({ ap }) => ap[chosen] ?? 0),
    0,
    1,
    apBins,
  )
  const map = report.steps[chosen]?.map ?? 0
  const { color } = swatchOfStep(report, report.chosenStep)
  return renderChart(
    'plot-ap',
    `Histogram of average precision over ${counted(report.identities.length, 'identity', 'identities')}, step ${report.chosenStep}; ` +
      `${counted(counts.at(-1) ?? 0, 'identity has', 'identities have')} an AP of 0.95 or more, ${counts[0] ?? 0} less than 0.05`,
    {
      ...frame,
      // Bars are placed on categories, but the numbers below belong to the edges of the bars, so a second axis is
      // needed.
      xAxis: [
        { type: 'category', show: false, data: counts.map((_, i) => String(i)) },
        { ...xAxis('Average precision (AP)'), min: 0, max: 1, position: 'bottom' },
      ],
      yAxis: { ...yAxis('Identities'), type: 'value', minInterval: 1, min: 0 },
      series: [
        { ...still, type: 'bar', color, barCategoryGap: '12%', data: counts },
        {
          ...still,
          type: 'line',
          xAxisIndex: 1,
          data: [],
          markLine: {
            silent: true,
            symbol: 'none',
            lineStyle: { color: ink, type: mapSwatch(map).line, width: 1.5 },
            label: { show: false },
            data: [{ xAxis: map }],
          },
        },
      ],
    },
  )
}

const labelStyle = { color: ink, fontSize: 12, textBorderColor: 'var(--card)', textBorderWidth: 3 } as const

/** Densities, so that few mated and many non-mated scores are visible in one plot. */
export function scoreDensityPlot({ histogram, unit, mated, nonMated }: ReportScores): Markup | undefined {
  if (histogram === undefined) return undefined
  const { from, to } = histogram
  const width = (to - from) / histogram.mated.length
  const area = (counts: readonly number[], total: number, { color }: Swatch): ChartSeries => ({
    ...still,
    type: 'line',
    step: 'end',
    color,
    showSymbol: false,
    lineStyle: { width: 1.8 },
    areaStyle: { color, opacity: 0.22 },
    data:
      total === 0
        ? []
        : [...counts, counts.at(-1) ?? 0].map((count, i) => [from + i * width, count / total / width]),
  })
  return renderChart(
    'plot-scores',
    `Densities of ${mated} mated and ${counted(nonMated, 'non-mated score')} from ${formatScore(from)} to ${formatScore(to)}`,
    {
      ...frame,
      xAxis: { ...xAxis(axisName(unit)), min: from, max: to, axisLabel: endLabels },
      yAxis: { ...yAxis('Density (per unit of score)'), type: 'value', min: 0 },
      series: [area(histogram.nonMated, nonMated, nonMatedSwatch), area(histogram.mated, mated, matedSwatch)],
    },
  )
}

/**
 * Hides the first and the last number of an axis: they come from the data, so they would be long and overlap others.
 */
const endLabels = { ...axisStyle.axisLabel, showMinLabel: false, showMaxLabel: false }

/** Rates below this are not drawn, because a logarithmic axis has no 0. */
const lowestRate = 1e-6

/** FAR and FRR against the threshold, with the operating points on them. */
export function errorRatePlot({ curve, unit, points, equalError }: ReportScores): Markup | undefined {
  const rates = curve.flatMap(({ far, frr }) => [far ?? 0, frr ?? 0]).filter((rate) => rate >= lowestRate)
  const first = curve[0]
  const last = curve.at(-1)
  if (first === undefined || last === undefined || rates.length === 0) return undefined
  const floor = 10 ** Math.min(-1, Math.floor(Math.log10(rates.reduce((a, b) => Math.min(a, b)))))
  const onLogAxis = (rate: number | null) => (rate === null || rate < lowestRate ? null : rate)
  const line = (rate: 'far' | 'frr', { color, line }: Swatch): ChartSeries => ({
    ...still,
    type: 'line',
    color,
    showSymbol: false,
    lineStyle: { width: 2, type: line },
    data: curve.map((point) => [point.threshold, onLogAxis(point[rate])]),
  })
  const marks = [
    ...points.map((point) => ({ ...point, rate: point.far, label: `FAR ${formatPower(point.targetFar)}` })),
    ...(equalError === undefined ? [] : [{ ...equalError, rate: equalError.eer, label: 'EER' }]),
  ].filter(({ rate }) => rate >= lowestRate)
  return renderChart(
    'plot-error-rates',
    `False acceptance and false rejection rate against the threshold, ${marks.map(({ label, threshold }) => `${label} at ${formatScore(threshold)}`).join(', ')}`,
    {
      ...frame,
      xAxis: {
        ...xAxis(`Threshold (${unit})`),
        min: first.threshold,
        max: last.threshold,
        axisLabel: endLabels,
      },
      yAxis: {
        ...yAxis('Error rate'),
        type: 'log',
        min: floor,
        max: 1,
        axisLabel: { ...axisStyle.axisLabel, formatter: formatPower },
      },
      series: [
        line('far', farSwatch),
        line('frr', frrSwatch),
        {
          ...still,
          type: 'scatter',
          symbolSize: 9,
          z: 5,
          itemStyle: { color: 'var(--card)', borderColor: ink, borderWidth: 2, opacity: 1 },
          data: marks.map(({ threshold, rate, label }) => ({
            value: [threshold, rate],
            // On the side with more space.
            label: {
              ...labelStyle,
              show: true,
              formatter: label,
              position:
                threshold - first.threshold > 0.65 * (last.threshold - first.threshold)
                  ? ('left' as const)
                  : ('right' as const),
            },
          })),
        },
      ],
    },
  )
}

/** 0.00009999… → "0.0001": for powers of ten computed by a logarithmic axis. */
export function formatPower(value: number): string {
  return value < 1e-4 * 0.99 ? value.toExponential(0) : String(Number(value.toPrecision(1)))
}

const axisName = (unit: string) => unit.charAt(0).toUpperCase() + unit.slice(1)
