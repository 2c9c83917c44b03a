import type { ShownCorrection, ShownName } from '../../index/identities/show-name.js'
import { counted, dataUri, oneLine, print } from '../cli/output.js'
import { formatRanges } from './hit-text.js'

export function shownNameJson({ faces, corrections, note, ...shown }: ShownName) {
  return {
    name: shown.name,
    aliases: shown.aliases,
    note: note ?? null,
    people: shown.people,
    needsPhotos: shown.needsPhotos,
    otherFaces: shown.otherFaces,
    threshold: shown.threshold,
    faces: faces.map(({ similarity, isOdd, pictureJpeg, ...face }) => ({
      ...{ ...face, similarity: similarity ?? null, odd: isOdd },
      picture: pictureJpeg === undefined ? null : dataUri(pictureJpeg),
    })),
    corrections: corrections.map(({ path, isFound, ...correction }) => ({
      ...{ ...correction, path: path ?? null, found: isFound },
    })),
    damaged: shown.damaged,
  }
}

export function printShownName(shown: ShownName): void {
  const { name, aliases, note, faces, corrections, threshold } = shown
  print(`"${oneLine(name)}" is enrolled with ${counted(faces.length, 'face')}`)
  if (aliases.length > 0) print(`  also ${aliases.map((alias) => `"${oneLine(alias)}"`).join(', ')}`)
  if (note !== undefined) print(`  note: ${oneLine(note)}`)
  if (shown.people.length > 0) print(`  the name of ${shown.people.map((id) => `person ${id}`).join(', ')}`)
  for (const { number, source, quality, similarity, isOdd, pictureJpeg } of faces) {
    const about = [
      `quality ${quality.toFixed(2)}`,
      ...(similarity === undefined ? [] : [`similarity to the others ${similarity.toFixed(2)}`]),
      ...(pictureJpeg === undefined ? ['no picture'] : []),
    ]
    print(`  ${number}: ${oneLine(source)} (${about.join(', ')})${isOdd ? '  odd' : ''}`)
  }
  if (faces.some(({ isOdd }) => isOdd))
    print(
      `  odd: similarity ${threshold.toFixed(2)} is reached with fewer than half of the other files; does it show somebody else?`,
    )
  for (const line of otherFacesText(shown)) print(`  ${line}`)
  for (const correction of corrections) print(`  ${correctionText(correction)}`)
}

function otherFacesText({ otherFaces: { count, withPicture }, needsPhotos }: ShownName): string[] {
  const others =
    count === 0
      ? []
      : [
          `${counted(count, 'face')} only by other models: ${withPicture} with pictures, which "cameo people refresh" embeds`,
        ]
  return needsPhotos ? [...others, 'needs photos: no face of it can be embedded by these models'] : others
}

function correctionText({ clipId, path, verdict, ranges, isFound }: ShownCorrection): string {
  const where = path === undefined ? `clip ${clipId.slice(0, 12)}` : oneLine(path)
  return `${verdict}: ${where}, ${formatRanges(ranges)}${isFound ? '' : ' (not in the archive now)'}`
}
