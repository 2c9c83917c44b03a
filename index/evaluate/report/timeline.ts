import { axisStyle, frame, still, xAxis } from './axes.js'
import { renderChart, type ChartSeries } from './chart.js'
import type { Markup } from './markup.js'
import type { Swatch } from './plots.js'
import type { FilmTimeline } from './times-data.js'
import type { SpanS } from '../data/appearances.js'

export const seenSwatch: Swatch = { label: 'seen', color: 'var(--step-0)', line: 'solid' }
export const answeredSwatch: Swatch = { label: 'answered', color: 'var(--mated)', line: 'solid' }
export const unsureSwatch: Swatch = { label: 'does not count', color: 'var(--line)', line: 'solid' }

/** Distance of a person's bars above and below the middle of the row. */
const barOffset = 0.17
/** Minimum width of a bar, as a share of the film, so that a short moment is visible. */
const momentShare = 1 / 200

/** Shows when the people of a film appear and, below, when they were answered. */
export function timelinePlot(id: string, { film, lengthS, people, unsure }: FilmTimeline): Markup {
  const shortestS = lengthS * momentShare
  const bars = (
    offset: number,
    { color }: Swatch,
    spansOf: (row: number) => readonly SpanS[],
  ): ChartSeries => ({
    ...still,
    type: 'line',
    color,
    showSymbol: false,
    lineStyle: { width: 7, cap: 'butt' },
    // An empty point separates a bar from the next one.
    data: people.flatMap((_, row) =>
      spansOf(row).flatMap(({ startS, endS }) => [
        [startS, row + offset],
        [Math.max(endS, startS + shortestS), row + offset],
        [endS, null],
      ]),
    ),
  })
  const seen = bars(-barOffset, seenSwatch, (row) => people[row]?.seen ?? [])
  const areas = {
    silent: true,
    itemStyle: { color: unsureSwatch.color, opacity: 0.6 },
    data: unsure.map(({ startS, endS }): [{ xAxis: number }, { xAxis: number }] => [
      { xAxis: startS },
      { xAxis: endS },
    ]),
  }
  return renderChart(
    id,
    `When ${people.map(({ person }) => person).join(', ')} are seen in ${film}, and when they were answered`,
    {
      ...frame,
      grid: { ...frame.grid, left: 120 },
      xAxis: { ...xAxis('Time (s)'), min: 0, max: Math.ceil(lengthS) },
      yAxis: {
        ...axisStyle,
        type: 'value',
        inverse: true,
        min: -0.5,
        max: people.length - 0.5,
        interval: 0.5,
        splitLine: { show: false },
        axisLabel: {
          ...axisStyle.axisLabel,
          width: 108,
          overflow: 'truncate',
          formatter: (row: number) => people[row]?.person ?? '',
        },
      },
      series: [
        { ...seen, markArea: areas },
        bars(barOffset, answeredSwatch, (row) => people[row]?.answered ?? []),
      ],
    },
  )
}
