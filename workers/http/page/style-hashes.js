import { createHash } from 'node:crypto'
import { playerElements } from './src/parts/player-elements.js'

/**
 * The elements of the player carry their styles inline. The page's security policy forbids inline styles, except those whose digests
 * it lists. This writes the digests to `style-hashes.json` beside the page.
 */
export function styleHashes() {
  return {
    name: 'cameo-style-hashes',
    async generateBundle() {
      const hashes = new Set()
      for (const name of playerElements)
        for (const style of await stylesOf(name))
          hashes.add(`'sha256-${createHash('sha256').update(style).digest('base64')}'`)
      this.emitFile({
        type: 'asset',
        fileName: 'style-hashes.json',
        source: JSON.stringify([...hashes].sort()),
      })
    },
  }
}

/** The texts of the style tags that an element writes into its shadow tree. */
async function stylesOf(name) {
  const { default: element } = await import(`media-chrome/dist/${name}.js`)
  const html = element.getTemplateHTML(attributesOf(element), {})
  return [...html.matchAll(/<style[^>]*>([\s\S]*?)<\/style>/g)].map(([, style]) => style)
}

const attributesOf = (element) => element.templateAttributes ?? {}
