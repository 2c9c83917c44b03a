import type { ShownName } from '../../index/identities/show-name.js'
import { facesPage } from './contact-sheet.js'

/** The faces of a name as one self-contained HTML page. */
export function nameSheet({ name, aliases, note, faces }: ShownName): string {
  const about = [
    ...(aliases.length === 0 ? [] : [`also ${aliases.join(', ')}`]),
    ...(note === undefined ? [] : [note]),
    `${faces.length} faces, ${faces.filter(({ pictureJpeg }) => pictureJpeg !== undefined).length} with pictures`,
  ]
  return facesPage(
    name,
    about,
    faces.map(({ number, source, quality, similarity, isOdd, pictureJpeg }) => ({
      ...{ number, path: source, jpeg: pictureJpeg, isOdd },
      text: `quality ${quality.toFixed(2)}${similarity === undefined ? '' : ` · similarity ${similarity.toFixed(2)}`}`,
    })),
  )
}
