/** Options shared by the axes of all plots. */

export const ink = 'var(--ink)'
const muted = 'var(--muted)'

export const axisStyle = {
  nameLocation: 'middle' as const,
  nameTextStyle: { color: ink, fontSize: 13 },
  axisLabel: { color: muted, fontSize: 12 },
  axisLine: { show: true, onZero: false, lineStyle: { color: muted } },
  axisTick: { show: false },
  splitLine: { lineStyle: { color: 'var(--grid)' } },
}

export const xAxis = (name: string) => ({
  type: 'value' as const,
  ...axisStyle,
  name,
  nameGap: 26,
  splitLine: { show: false },
})
export const yAxis = (name: string) => ({ ...axisStyle, name, nameGap: 42 })

export const frame = {
  textStyle: { fontFamily: 'inherit' },
  grid: { left: 60, right: 18, top: 16, bottom: 44 },
}

/** Options shared by all series: no hover, no animation. */
export const still = { silent: true, emphasis: { disabled: true } } as const
