import { CameoError } from '../../pipeline/common/errors.js'
import type { Feature, Recipe } from '../../pipeline/recipe/recipe.js'
import { createCheckpointStore, type CheckpointStore } from '../store/checkpoints.js'
import { createClipStore, type ClipStore } from '../store/clips.js'
import { openDatabase, type OpenOptions } from '../store/database.js'
import type { Database } from '../store/sqlite.js'
import { VisibleClipsReader, type VisibleClips } from '../store/visible-clips.js'
import { createFileStore, type FileStore } from '../store/files.js'
import {
  activateSpace,
  readArchiveRecipe,
  readEngineName,
  writeArchiveRecipe,
  type ArchiveFeature,
  type ArchiveRecipe,
} from '../store/meta.js'
import { keptRowsOf } from '../store/kept-rows.js'
import { automatic, checkEngineName } from '../vectors/archive/engine-plan.js'
import type { VectorEngines } from '../vectors/vector-engine.js'
import { counted } from '../../pipeline/common/counted.js'

/** An open archive: the SQLite file, and the stores that read and write its tables. */
export interface Archive {
  readonly dir: string
  readonly database: Database
  readonly files: FileStore
  readonly clips: ClipStore
  readonly checkpoints: CheckpointStore
  /** Vector engines that were provided when the archive was opened, in addition to the built-in ones. */
  readonly engines: VectorEngines
  readonly visibleClips: VisibleClipsReader
  /** What may be seen of it; undefined: everything. */
  readonly visible?: VisibleClips
  /** Undefined before the first ingest. */
  readonly recipe: ArchiveRecipe | undefined
  close(): void
}

export interface OpenArchiveOptions extends OpenOptions {
  /** Vector engines in addition to the built-in ones, by the names used in the configuration of archives. */
  readonly engines?: VectorEngines
}

export function openArchive(dir: string, options: OpenArchiveOptions = {}): Archive {
  const database = openDatabase(dir, options)
  return {
    dir,
    database,
    files: createFileStore(database),
    clips: createClipStore(database),
    checkpoints: createCheckpointStore(database),
    engines: options.engines ?? {},
    visibleClips: new VisibleClipsReader(database),
    get recipe() {
      return keptRowsOf(database).value('recipe', () => readArchiveRecipe(database))
    },
    close: () => database.close(),
  }
}

/** Opens an archive for reading. If it is not writable, opens it read-only and calls `onNotice`. */
export function openArchiveToRead(
  dir: string,
  onNotice: (message: string) => void,
  engines: VectorEngines = {},
): Archive {
  try {
    return openArchive(dir, { onNotice, engines })
  } catch (error) {
    if (!(error instanceof CameoError) || error.code !== 'ARCHIVE_READ_ONLY') throw error
    const archive = openArchive(dir, { readOnly: true, engines })
    onNotice(`the archive ${dir} is not writable: it is opened read-only`)
    return archive
  }
}

/** An archive that contains clips, and the recipe they were processed with. */
export interface FilledArchive {
  readonly archive: Archive
  readonly recipe: ArchiveRecipe
}

/**
 * Opens an archive that contains clips.
 * @param open use `openArchiveToRead` to only read it
 * @throws ARCHIVE_MISSING if it does not exist or has no clips; USAGE if it is configured with a vector engine that
 * was not provided; and the errors of `openArchive`
 */
export function openFilledArchive(
  dir: string,
  onNotice: (message: string) => void,
  open: (dir: string, onNotice: (message: string) => void) => Archive = (path, notify) =>
    openArchive(path, { onNotice: notify }),
): FilledArchive {
  const archive = open(dir, onNotice)
  try {
    return filledArchive(archive)
  } catch (error) {
    archive.close()
    throw error
  }
}

function filledArchive(archive: Archive): FilledArchive {
  const { database, dir, engines, recipe } = archive
  checkEngineName(readEngineName(database) ?? automatic, engines)
  if (recipe !== undefined) return { archive, recipe }
  throw new CameoError('ARCHIVE_MISSING', `the archive ${dir} holds no clips yet; ingest some first`, {
    details: { remedy: 'ingest-first', archive: dir },
  })
}

/** Where the models of a recipe come from. */
export interface RecipeSource extends Pick<ArchiveRecipe, 'packName' | 'headFile'> {
  /** The JSON file of each further embedder and context encoder, by its digest. */
  readonly encoderFiles?: ReadonlyMap<string, string>
}

/**
 * Binds an archive to a recipe at the first ingest. Later ingests must use the same recipe, unless `reprocess` is
 * set. Returns the id of the descriptor space for its clips.
 * @throws ARCHIVE_OTHER_RECIPE, with a message about the difference
 */
export function adoptRecipe(
  archive: Archive,
  recipe: Recipe,
  { packName, headFile, encoderFiles }: RecipeSource,
  dimension: number,
  reprocess: boolean,
): number {
  const own = archive.recipe
  if (own !== undefined && own.digest !== recipe.digest && !reprocess)
    throw otherRecipe(archive.dir, describe(own), describe({ ...recipe, packName, headFile }))
  if (own?.digest !== recipe.digest) {
    const { digest, embedderDigest, spaceDigest, settings } = recipe
    const features = recipe.features?.map((feature): ArchiveFeature => {
      const source = encoderFiles?.get(feature.digest)
      return { ...feature, ...(source === undefined ? {} : { source }) }
    })
    writeArchiveRecipe(archive.database, {
      ...{ digest, embedderDigest, spaceDigest, settings, packName },
      ...(headFile === undefined ? {} : { headFile }),
      ...(features === undefined ? {} : { features }),
    })
  }
  return activateSpace(archive.database, recipe, dimension)
}

function otherRecipe(dir: string, own: string, wanted: string): CameoError {
  const differs = own === wanted ? 'version' : 'settings'
  return new CameoError(
    'ARCHIVE_OTHER_RECIPE',
    differs === 'version'
      ? `the archive ${dir} was made by another version of Cameo, which detects and tracks faces differently; it can still be searched, but to add clips, process every clip again or use another archive`
      : `the archive ${dir} was made with settings (${own}) that differ from these (${wanted}); ` +
          'use its own settings, use another archive, or process every clip again',
    { details: { remedy: 'reprocess', archive: dir, differs } },
  )
}

/** Describes a further embedder or context encoder in a message. */
export const describeFeature = ({ kind, name, digest, dimension }: Feature) =>
  `${kind === 'embedder' ? 'embedder' : 'context encoder'} ${name} (${counted(dimension, 'value')}, ${digest.slice(0, 12)})`

function describe({
  packName,
  headFile,
  settings,
  features = [],
}: Pick<Recipe, 'settings' | 'features'> & RecipeSource) {
  const sampling = settings.sampling.kind === 'fps' ? `${settings.sampling.fps} fps` : 'keyframes'
  return [
    `models ${packName}`,
    ...(headFile === undefined ? [] : [`head ${headFile}`]),
    ...features.map(describeFeature),
    sampling,
    `faces from ${settings.minFacePx} px`,
    `${counted(settings.facesPerTrack, 'face')} per track`,
    ...(settings.mirror ? ['mirror'] : []),
    ...(settings.keepMirrored === true ? ['mirror images kept'] : []),
    `segments of ${settings.segmentS} s`,
  ].join(', ')
}
