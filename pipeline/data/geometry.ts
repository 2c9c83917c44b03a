/** A point in pixels of the image it belongs to; x to the right, y down, the first pixel's corner at (0, 0). */
export interface PointPx {
  readonly x: number
  readonly y: number
}

/** An axis-aligned box: [left, top, right, bottom] in pixels, right and bottom exclusive. */
export type BoxXyxyPx = readonly [x1: number, y1: number, x2: number, y2: number]

/** Left eye, right eye, nose, left and right mouth corner, as seen in the image (ArcFace's order). */
export type Landmarks5Px = readonly [PointPx, PointPx, PointPx, PointPx, PointPx]

export function boxArea([x1, y1, x2, y2]: BoxXyxyPx): number {
  return Math.max(0, x2 - x1) * Math.max(0, y2 - y1)
}

export function intersectionArea(a: BoxXyxyPx, b: BoxXyxyPx): number {
  const width = Math.min(a[2], b[2]) - Math.max(a[0], b[0])
  const height = Math.min(a[3], b[3]) - Math.max(a[1], b[1])
  return width > 0 && height > 0 ? width * height : 0
}

/** Intersection over union of two boxes, 0..1; 0 if both are empty. */
export function iou(a: BoxXyxyPx, b: BoxXyxyPx): number {
  const intersection = intersectionArea(a, b)
  const union = boxArea(a) + boxArea(b) - intersection
  return union > 0 ? intersection / union : 0
}
