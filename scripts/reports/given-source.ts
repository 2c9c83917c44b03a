import { resolve } from 'node:path'
import type { ReadArchiveOptions } from '../../index/evaluate/datasets/archive-features.js'
import { readSource, type Source } from '../../index/evaluate/source/evaluation-source.js'
import { coverageLine } from './coverage-text.js'
import { tellDamaged } from './damage-report.js'
import { note } from '../cli/output.js'
import type { SourceOptions } from '../cli/source-options.js'

/** Reads the requested source. Reports what of it was not looked at or is damaged. */
export async function readGivenSource(
  { archive, features }: SourceOptions,
  options: ReadArchiveOptions = {},
): Promise<Source> {
  const dir = archive ?? resolve('./cameo-data')
  const source = await readSource(features === undefined ? { archive: dir } : { features }, options, note)
  const unseen = source.coverage === null ? undefined : coverageLine(source.coverage)
  if (unseen !== undefined) note(unseen)
  tellDamaged({ dir }, source.damaged)
  return {
    ...source,
    enrolled() {
      const enrolled = source.enrolled()
      tellDamaged({ dir }, enrolled.damaged)
      return enrolled
    },
  }
}
