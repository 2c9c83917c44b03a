import type { BarSeriesOption, LineSeriesOption, ScatterSeriesOption } from 'echarts/charts'
import { BarChart, LineChart, ScatterChart } from 'echarts/charts'
import type {
  GridComponentOption,
  MarkAreaComponentOption,
  MarkLineComponentOption,
} from 'echarts/components'
import { GridComponent, MarkAreaComponent, MarkLineComponent } from 'echarts/components'
import type { ComposeOption } from 'echarts/core'
import { init, use } from 'echarts/core'
import { SVGRenderer } from 'echarts/renderers'
import { escapeHtml, Markup } from './markup.js'

use([BarChart, LineChart, ScatterChart, GridComponent, MarkAreaComponent, MarkLineComponent, SVGRenderer])

export type ChartSeries = BarSeriesOption | LineSeriesOption | ScatterSeriesOption
export type ChartOption = ComposeOption<
  ChartSeries | GridComponentOption | MarkAreaComponentOption | MarkLineComponentOption
>

/**
 * Drawing size of a plot. The page scales it. The size is close to the width of a phone and to half the width of a
 * desktop column, so that 12 px letters stay legible on both.
 */
const sizePx = { width: 440, height: 310 }

/**
 * Renders a chart as inline SVG. Colours may be CSS variables of the page. The SVG keeps them, so that one drawing
 * works in light and dark mode. Parts that need the chart library in the browser (hover styles, data marks) are
 * removed.
 * @param id unique in the page. Also makes the inner ids of the SVG unique, and identical in every run
 * @param label description of the chart for people who cannot see it
 */
export function renderChart(id: string, label: string, option: ChartOption): Markup {
  const chart = init(null, null, { renderer: 'svg', ssr: true, ...sizePx })
  try {
    chart.setOption({ animation: false, ...option })
    const svg = chart
      .renderToSVGString()
      .replace(/<style[^]*?<\/style>/g, '')
      .replace(/ (?:class|ecmeta_\w+|pointer-events)="[^"]*"/g, '')
      .replace(/\bzr\d+-/g, `${id}-`)
      .replace(
        /^<svg width="\d+" height="\d+"/,
        `<svg id="${id}" role="img" aria-label="${escapeHtml(label)}"`,
      )
    return new Markup(svg)
  } finally {
    chart.dispose()
  }
}
