import { adviceMessageOf } from '../cli/advice.js'
import { existsSync } from 'node:fs'
import { describeFeature } from '../../index/archive/open-archive.js'
import type { ArchiveRecipe } from '../../index/store/meta.js'
import { readHeadFile } from '../../pipeline/describe/head/head-file.js'
import type { Settings } from '../../pipeline/recipe/recipe.js'
import { counted, oneLine } from '../cli/output.js'
import { spanText } from '../../pipeline/common/time-text.js'

/** How an archive's clips are processed, one line each: models, head, settings, further encoders. */
export async function recipeLines(recipe: ArchiveRecipe): Promise<string[]> {
  return [
    `models: ${recipe.packName}`,
    `head: ${await headText(recipe.headFile)}`,
    `settings: ${settingsText(recipe.settings)}`,
    ...(recipe.features ?? []).map(describeFeature),
  ]
}

async function headText(headFile: string | undefined): Promise<string> {
  if (headFile === undefined) return 'none; descriptors are embeddings pooled by quality'
  const name = oneLine(headFile)
  if (!existsSync(headFile)) return `${name}, which is not there any more: copy it back`
  try {
    const { metadata } = await readHeadFile(headFile)
    return metadata === undefined
      ? `${name}, which does not say what it was trained on`
      : `${name}, trained on ${metadata.classes.length === 1 ? '1 person' : `${metadata.classes.length} people`} with the loss ${metadata.loss}`
  } catch (error) {
    return `${name}, which cannot be read: ${adviceMessageOf(error)}`
  }
}

/** Settings in words. */
export function settingsText({
  sampling,
  minFacePx,
  facesPerTrack,
  mirror,
  keepMirrored,
  segmentS,
}: Settings): string {
  return [
    sampling.kind === 'fps'
      ? `${counted(sampling.fps, 'frame')} of each second are looked at`
      : 'key frames are looked at',
    `faces from ${minFacePx} px high are found`,
    `the ${facesPerTrack === 1 ? 'best face' : `${facesPerTrack} best faces`} of a track are embedded${mirror ? ', mirrored too' : ''}`,
    ...(keepMirrored === true ? ['embeddings of mirror images are kept'] : []),
    `longer clips are cut into segments of ${spanText(segmentS)}`,
  ].join('; ')
}
