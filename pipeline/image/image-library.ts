import sharp from 'sharp'

/**
 * libvips recognises a file by its bytes. Some of its loaders draw (SVG, PDF), run code of other programs (ImageMagick)
 * or read formats of laboratories. Only the loaders below may open a file in this process: their formats hold nothing
 * but pixels. These loaders read Ultra HDR photos as JPEG files.
 */
sharp.block({ operation: ['VipsForeignLoad'] })
sharp.unblock({
  operation: ['Jpeg', 'Png', 'Webp', 'Nsgif', 'Tiff', 'Heif'].map((name) => `VipsForeignLoad${name}`),
})

export { sharp }
