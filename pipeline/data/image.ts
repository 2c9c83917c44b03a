/** An RGB image, 8 bits per channel, rows top to bottom, pixels interleaved: `data.length === width * height * 3`. */
export interface RgbImage {
  readonly width: number
  readonly height: number
  readonly data: Uint8Array
}
