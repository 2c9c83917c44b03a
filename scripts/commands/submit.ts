import { Command, Option } from 'commander'
import { isUrl } from '../../index/store/whole-path.js'
import { CameoError } from '../../pipeline/common/errors.js'
import { hasUserinfo, withoutSecrets } from '../../workers/remote-clips/clip-access.js'
import { findClips, type FoundFile } from '../../workers/ingest/find-clips.js'
import { endProcessSoon } from '../../workers/kafka/broker/client.js'
import type { KafkaConnection } from '../../workers/kafka/broker/connection.js'
import { submitClips } from '../../workers/kafka/submit/submit-clips.js'
import { wireRecipeOf } from '../../workers/kafka/submit/wire-recipe.js'
import type { WireRecipe } from '../../workers/kafka/messages/schemas.js'
import { createSilentLog } from '../../workers/service/log.js'
import { checkSomeExist } from '../cli/given-paths.js'
import { brokersOption, kafkaHelp } from '../cli/kafka-options.js'
import { readConnection } from '../cli/kafka-connection.js'
import { jsonOption } from '../cli/options.js'
import { exitCodes, note } from '../cli/output.js'
import { withRecipeOptions } from '../cli/recipe-options.js'
import { createSubmitReporter } from '../reports/submit-report.js'
import { untilStopped } from '../cli/until-stopped.js'
import type { RecipeOptions } from '../../index/archive/choose-recipe.js'

interface SubmitOptions extends RecipeOptions {
  readonly brokers: string
  readonly wait: boolean
  readonly again: boolean
  readonly json: boolean
}

export const submitCommand = withRecipeOptions(
  new Command('submit')
    .description(
      'Put clips into the queue for workers, and wait until they are indexed. Finished clips are left out.',
    )
    .argument(
      '<paths...>',
      'video files, folders that are searched for them, http(s):// or s3:// addresses of clips',
    ),
)
  .addOption(brokersOption())
  .addOption(new Option('--no-wait', 'end when all clips are in the queue'))
  .addOption(
    new Option('--again', 'also submit clips that are finished or already in the queue').default(false),
  )
  .addOption(jsonOption())
  .addHelpText(
    'after',
    `${kafkaHelp}
With --json, one line per clip: {path, clipId, status, tracks} or {path, status, code, message}.
Status: done, unchanged, partial, forgotten, failed, queued (with --no-wait), skipped.
Exit code: 0 all clips are indexed, except those that the archive has to forget (with --no-wait: in the queue), 1 some failed,
2 the command could not run, 130 interrupted: clips stay in the queue; run it again to wait for them.`,
  )
  .action(async (paths: string[], options: SubmitOptions) => {
    for (const path of paths) checkAddress(path)
    checkSomeExist(paths, 'submitted')
    const recipe = await wireRecipeOf(options, undefined)
    const connection = readConnection(options.brokers)
    process.exitCode = await untilStopped((signal) => submit(connection, paths, recipe, options, signal))
  })

function checkAddress(path: string): void {
  if (!isUrl(path)) return
  const address = withoutSecrets(path)
  if (!URL.canParse(path))
    throw new CameoError('USAGE', `the address ${address} cannot be read: nothing was submitted`)
  if (hasUserinfo(new URL(path)))
    throw new CameoError(
      'USAGE',
      `the address ${address} was given with a user name or a password, which everyone who sees the queue could read: nothing was submitted`,
    )
}

async function submit(
  connection: KafkaConnection,
  paths: readonly string[],
  recipe: WireRecipe,
  { json, wait, again }: SubmitOptions,
  signal: AbortSignal,
): Promise<number> {
  const reporter = createSubmitReporter(json)
  try {
    const log = createSilentLog()
    await submitClips(findInputs(paths), {
      ...{ connection, log, recipe, again, wait, signal },
      events: reporter,
    })
  } finally {
    reporter.stop()
    endProcessSoon()
  }
  reporter.summarise()
  if (signal.aborted) {
    note('clips stay in the queue: run the same command again to wait for them')
    return exitCodes.interrupted
  }
  return reporter.failed > 0 ? exitCodes.someFailed : exitCodes.ok
}

async function* findInputs(paths: readonly string[]): AsyncGenerator<FoundFile> {
  yield* findClips(paths.filter((path) => !isUrl(path)))
  const urls = paths.filter(isUrl).map((path) => new URL(path).href)
  for (const href of new Set(urls))
    yield {
      kind: 'clip',
      folder: new URL('.', href).href.replace(/\/$/, ''),
      path: href,
      sizeBytes: 0,
    }
}
