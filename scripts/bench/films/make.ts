/** Makes the missing films, queries and truth of a plan. */
import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { extname, join } from 'node:path'
import { promisify } from 'node:util'
import { findFfmpeg } from '../../../pipeline/decode/ffmpeg.js'
import { CameoError } from '../../../pipeline/common/errors.js'
import { startProgress } from '../../cli/progress.js'
import { filmArguments, type FrameSize } from './graph.js'
import { appearancesCsv, type Film } from './plan.js'

const run = promisify(execFile)

/** Increase it when the same plan would give other pictures. */
const makerVersion = 1

const encoding = ['-an', '-c:v', 'libx264', '-preset', 'veryfast', '-crf', '21', '-g', '50']

/** A photo that is used to search for a person. */
export interface QueryPhoto {
  readonly person: string
  /** ffmpeg's input and filters; the first picture is used. */
  readonly from: readonly string[]
}

export interface MadeFilms {
  readonly films: readonly string[]
  /** CSV of appearances. */
  readonly truth: string
  /** Folder of PERSON.jpg. */
  readonly queries: string
}

/** Throws USAGE if a folder holds films of other sources. */
export function claimFolder(dir: string, sources: unknown): void {
  const file = join(dir, 'made-of.json')
  const stamp = `${JSON.stringify({ makerVersion, sources }, null, 1)}\n`
  mkdirSync(dir, { recursive: true })
  if (existsSync(file) && readFileSync(file, 'utf8') !== stamp)
    throw new CameoError(
      'USAGE',
      `${dir} holds films of other sources: choose another folder with --out, or remove this one`,
    )
  writeFileSync(file, stamp)
}

export async function makeFilms(
  dir: string,
  films: readonly Film[],
  queries: readonly QueryPhoto[],
  size: FrameSize,
): Promise<MadeFilms> {
  const made = {
    films: films.map(({ name }) => join(dir, 'films', name)),
    truth: join(dir, 'appearances.csv'),
    queries: join(dir, 'queries'),
  }
  mkdirSync(join(dir, 'films'), { recursive: true })
  mkdirSync(made.queries, { recursive: true })
  writeFileSync(made.truth, appearancesCsv(films))
  const missing = [
    ...queries.map(({ person, from }) => ({
      file: join(made.queries, `${person}.jpg`),
      from: [...from, '-frames:v', '1', '-q:v', '2'],
    })),
    ...films.map((film) => ({
      file: join(dir, 'films', film.name),
      from: [...filmArguments(film, size), ...encoding],
    })),
  ].filter(({ file }) => !existsSync(file))
  const bar = startProgress('making films and queries {bar} {percentage}% {value}/{total}')
  try {
    for (const [done, { file, from }] of missing.entries()) {
      bar.update(done, missing.length, {})
      await make(file, join(dir, `part${extname(file)}`), from)
    }
  } finally {
    bar.stop()
  }
  return made
}

/** An interrupted run leaves no file with this name. */
async function make(file: string, part: string, inputAndEncoding: readonly string[]): Promise<void> {
  const { stderr } = await run(
    await findFfmpeg(),
    ['-v', 'error', '-nostdin', '-y', ...inputAndEncoding, part],
    { maxBuffer: 2 ** 24 },
  )
  if (!existsSync(part))
    throw new CameoError('FFMPEG_FAILED', `ffmpeg made no ${file}${stderr === '' ? '' : `: ${stderr}`}`)
  renameSync(part, file)
}
