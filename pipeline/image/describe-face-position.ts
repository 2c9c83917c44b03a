import type { BoxXyxyPx } from '../data/geometry.js'

/** Where a face is and how large it is, for a person who has to tell several faces apart. */
export function describeFace(
  { boxXyxyPx: box, quality }: { readonly boxXyxyPx: BoxXyxyPx; readonly quality: number },
  { widthPx, heightPx }: { readonly widthPx: number; readonly heightPx: number },
): string {
  const [x1, y1, x2, y2] = box.map(Math.round)
  const across = place(((x1 ?? 0) + (x2 ?? 0)) / 2 / widthPx, 'left', 'centre', 'right')
  const down = place(((y1 ?? 0) + (y2 ?? 0)) / 2 / heightPx, 'top', 'middle', 'bottom')
  const size = `${(x2 ?? 0) - (x1 ?? 0)}×${(y2 ?? 0) - (y1 ?? 0)} px`
  return `${down} ${across}, ${size} at (${x1}, ${y1}), quality ${quality.toFixed(2)}`
}

const place = (share: number, low: string, middle: string, high: string) =>
  share < 1 / 3 ? low : share < 2 / 3 ? middle : high
