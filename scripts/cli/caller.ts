import { defaultModelsDir, packIsPresent } from '../../pipeline/models/packs/models-dir.js'
import type { Pack } from '../../pipeline/models/packs/pack.js'
import { ensurePack, fetchPack, type Caller, type Progress, type Task } from '../../pipeline/stages/caller.js'
import type { IngestCaller } from '../../workers/archive/ingest-archive.js'
import { withAdvice } from './advice.js'
import { kept } from './kept.js'
import { note } from './output.js'
import { startProgress, type ProgressBar } from './progress.js'
import { formatTime } from '../../pipeline/common/time-text.js'

/** Downloads the missing files of a pack with a progress bar, and verifies the others. */
export async function pullWithProgress(pack: Pack, modelsDir = defaultModelsDir()): Promise<void> {
  if (!packIsPresent(pack, modelsDir))
    note(`fetching the model pack ${pack.name} (licence: ${pack.licence}) …`)
  await withBars((progress) => fetchPack(pack, modelsDir, { progress }))
}

/** As `ensurePack`, with a progress bar. */
export const usePack = (nameOrFile: string): Promise<Pack> =>
  ensurePack(nameOrFile, defaultModelsDir(), pullWithProgress)

interface TaskFormat {
  readonly format: string
  readonly logEveryS?: number
  readonly payload: (progress: Progress) => Readonly<Record<string, string | number>>
}

const tasks: Readonly<Record<Task, TaskFormat>> = {
  download: {
    format: '{name} {bar} {percentage}% {megabytes} MB',
    logEveryS: 5,
    payload: ({ done, subject = '' }) => ({ name: subject, megabytes: (done / 1e6).toFixed(1) }),
  },
  'query clip': {
    format: 'looking at {name} {bar} {percentage} %, {at}',
    payload: ({ done, subject = '' }) => ({ name: subject, at: formatTime(done) }),
  },
  'enrol people': {
    format: '{bar} {value}/{total} people {name}',
    logEveryS: 10,
    payload: ({ subject = '' }) => ({ name: subject }),
  },
  'describe tracks': {
    format: '{bar} {percentage}% {value}/{total} tracks',
    logEveryS: 5,
    payload: () => ({}),
  },
  'group people': {
    format: 'comparing tracks {bar} {percentage}% {value}/{total}',
    logEveryS: 5,
    payload: () => ({}),
  },
  'forget clips': {
    format: '{bar} {percentage}% {value}/{total} clips',
    logEveryS: 5,
    payload: () => ({}),
  },
}

/** Shows the progress of each task of `work` on its own bar. */
export async function withBars<T>(work: (progress: Caller['progress']) => Promise<T>): Promise<T> {
  let shown: { readonly task: Task; readonly bar: ProgressBar } | undefined
  try {
    return await work((progress) => {
      const { task, done, total = done } = progress
      const { format, logEveryS, payload } = tasks[task]
      if (shown?.task !== task) {
        shown?.bar.stop()
        shown = { task, bar: startProgress(format, logEveryS) }
      }
      shown.bar.update(Math.min(done, total), total, payload(progress))
    })
  } finally {
    shown?.bar.stop()
  }
}

/** Calls `work` with the command line as its caller. */
export const asCaller = <T>(work: (caller: IngestCaller) => Promise<T>): Promise<T> =>
  withBars((progress) =>
    work({
      notify: (notice, details) => note(withAdvice(notice, details)),
      progress,
      ensurePack: usePack,
      modelsDir: defaultModelsDir(),
      ...kept.getStore(),
    }),
  )
