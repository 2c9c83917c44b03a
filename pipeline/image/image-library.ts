import sharp from 'sharp'

/**
 * libvips recognises a file by its bytes, and some of its loaders draw (SVG, PDF), run other programs' code (ImageMagick) or
 * read formats of laboratories. Only these, which hold pixels and nothing else, may open anything in this process. Ultra HDR
 * photos are JPEG files to them.
 */
sharp.block({ operation: ['VipsForeignLoad'] })
sharp.unblock({
  operation: ['Jpeg', 'Png', 'Webp', 'Nsgif', 'Tiff', 'Heif'].map((name) => `VipsForeignLoad${name}`),
})

export { sharp }
