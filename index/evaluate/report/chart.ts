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
 * Drawn at this size and scaled by the page: near the width of a phone and half the width of a desktop's column, so that
 * 12 px letters stay legible on both.
 */
const sizePx = { width: 440, height: 310 }

/**
 * A chart as inline SVG. Colours may be CSS variables of the page, which the SVG keeps, so that one drawing serves light
 * and dark. What only a browser with the chart library would use (hover styles, data marks) is taken out.
 * @param id unique in the page; also makes the SVG's inner ids unique and the same in every run
 * @param label what it shows, for those who cannot see it
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
