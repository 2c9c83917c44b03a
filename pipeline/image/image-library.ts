import type Sharp from 'sharp'

let loaded: Promise<typeof Sharp> | undefined

/** sharp. It is loaded when the first picture is opened or encoded: most commands need none, and libvips loads slowly. */
export const imageLibrary = (): Promise<typeof Sharp> => (loaded ??= load())

/**
 * libvips recognises a file by its bytes. Some of its loaders draw (SVG, PDF), run code of other programs (ImageMagick)
 * or read formats of laboratories. Only the loaders below may open a file in this process: their formats hold nothing
 * but pixels. These loaders read Ultra HDR photos as JPEG files.
 */
async function load(): Promise<typeof Sharp> {
  const { default: sharp } = await import('sharp')
  sharp.block({ operation: ['VipsForeignLoad'] })
  sharp.unblock({
    operation: ['Jpeg', 'Png', 'Webp', 'Nsgif', 'Tiff', 'Heif'].map((name) => `VipsForeignLoad${name}`),
  })
  return sharp
}
