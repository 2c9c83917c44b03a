import { CameoError } from '../../pipeline/common/errors.js'
import type { Feature, Recipe } from '../../pipeline/recipe/recipe.js'
import { createCheckpointStore, type CheckpointStore } from '../store/checkpoints.js'
import { createClipStore, type ClipStore } from '../store/clips.js'
import { openDatabase, type OpenOptions } from '../store/database.js'
import type { Database } from '../store/sqlite.js'
import { createFileStore, type FileStore } from '../store/files.js'
import {
  activateSpace,
  readArchiveRecipe,
  readEngineName,
  writeArchiveRecipe,
  type ArchiveFeature,
  type ArchiveRecipe,
} from '../store/meta.js'
import { automatic, checkEngineName } from '../vectors/archive/engine-plan.js'
import type { VectorEngines } from '../vectors/vector-engine.js'
import { counted } from '../../pipeline/common/counted.js'

/** An open archive: the SQLite file and what reads and writes its tables. */
export interface Archive {
  readonly dir: string
  readonly database: Database
  readonly files: FileStore
  readonly clips: ClipStore
  readonly checkpoints: CheckpointStore
  /** Engines of the vector index that were given when it was opened, beside those that are built in. */
  readonly engines: VectorEngines
  /** Undefined before the first ingest. */
  readonly recipe: ArchiveRecipe | undefined
  close(): void
}

export interface OpenArchiveOptions extends OpenOptions {
  /** Engines of the vector index beside those that are built in, by the names that archives are configured with. */
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
    get recipe() {
      return readArchiveRecipe(database)
    },
    close: () => database.close(),
  }
}

/** For commands that only read: an archive that cannot be written is opened all the same, which `onNotice` is told. */
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
    onNotice(`the archive ${dir} cannot be written: it is only read`)
    return archive
  }
}

/** An archive with clips in it, and how they were processed. */
export interface FilledArchive {
  readonly archive: Archive
  readonly recipe: ArchiveRecipe
}

/**
 * Opens an archive that has clips in it.
 * @param open `openArchiveToRead`, where it is only read
 * @throws ARCHIVE_MISSING where it has none, or is not there; USAGE where it is configured with a vector engine that was not
 *   given; as `openArchive` does
 */
export function openFilledArchive(
  dir: string,
  onNotice: (message: string) => void,
  open: (dir: string, onNotice: (message: string) => void) => Archive = (at, told) =>
    openArchive(at, { onNotice: told }),
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

/** Where the models of a recipe are found again. */
export interface RecipeSource extends Pick<ArchiveRecipe, 'packName' | 'headFile'> {
  /** The JSON file of each further embedder and context encoder, by its digest. */
  readonly encoderFiles?: ReadonlyMap<string, string>
}

/**
 * Binds an archive to a recipe with its first ingest; later ones must be of the same recipe, unless `reprocess`.
 * Returns the id of the descriptor space that its clips are written to.
 * @throws ARCHIVE_OTHER_RECIPE that names what differs
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
      ? `the archive ${dir} was made by another version of Cameo, which finds and follows faces in another way; it can still be searched, but to add clips process every clip anew, or use another archive`
      : `the archive ${dir} was made with other settings (${own}) than these (${wanted}); ` +
          'go on with its own, use another archive, or process every clip anew',
    { details: { remedy: 'reprocess', archive: dir, differs } },
  )
}

/** A further embedder or context encoder as it is told to people. */
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
    `${counted(settings.facesPerTrack, 'face')} a track`,
    ...(settings.mirror ? ['mirror'] : []),
    ...(settings.keepMirrored === true ? ['mirror images kept'] : []),
    `segments of ${settings.segmentS} s`,
  ].join(', ')
}
