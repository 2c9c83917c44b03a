import { setTimeout as sleep } from 'node:timers/promises'
import { Command, Option } from 'commander'
import { isUrl } from '../../index/store/whole-path.js'
import { CameoError } from '../../pipeline/common/errors.js'
import { defaultPackName, findPack, keepablePackName } from '../../pipeline/models/packs/catalog.js'
import { checkHead, readHeadFile } from '../../pipeline/describe/head/head-file.js'
import { createRecipe } from '../../pipeline/recipe/recipe.js'
import { hasUserinfo, withoutSecrets } from '../../workers/remote-clips/clip-access.js'
import { findClips, type FoundFile } from '../../workers/ingest/find-clips.js'
import { createKafka, createPublisher } from '../../workers/kafka/broker/client.js'
import { createRetryingPublisher } from '../../workers/kafka/broker/retrying-publisher.js'
import { Submission } from '../../workers/kafka/submit/submission.js'
import { clusterStatus } from '../../workers/kafka/broker/cluster-status.js'
import { createTopics } from '../../workers/kafka/broker/create-topics.js'
import { startTopicReader, type TopicReader } from '../../workers/kafka/broker/topic-reader.js'
import { stageInput, topicName, type Stage } from '../../workers/kafka/broker/topics.js'
import type { WireRecipe } from '../../workers/kafka/messages/schemas.js'
import { checkSomeExist } from '../cli/given-paths.js'
import { brokersOption, kafkaHelp } from '../cli/kafka-options.js'
import { withKafka, type KafkaSession } from '../cli/kafka-session.js'
import { jsonOption } from '../cli/options.js'
import { counted, exitCodes, note, pluralOf } from '../cli/output.js'
import { withRecipeOptions } from '../cli/recipe-options.js'
import { createSubmitReporter } from '../reports/submit-report.js'
import { untilStopped } from '../cli/until-stopped.js'
import { chooseEncoders, chooseSettings, type RecipeOptions } from '../../index/archive/choose-recipe.js'

interface SubmitOptions extends RecipeOptions {
  readonly brokers: string
  readonly wait: boolean
  readonly again: boolean
  readonly json: boolean
}

/** How often to check whether awaited clips are lost. */
const checkEveryMs = 10_000

/** Number of resubmissions in a row without any finished clip. */
const mostResubmissions = 2

const stages = Object.keys(stageInput) as Stage[]

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
    const recipe = await wireRecipe(options)
    process.exitCode = await withKafka(options.brokers, (session) =>
      untilStopped((signal) => submit(session, paths, recipe, options, signal)),
    )
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

async function wireRecipe(options: RecipeOptions): Promise<WireRecipe> {
  const packName = options.pack ?? defaultPackName
  const settings = chooseSettings(options, undefined)
  const head = options.head === undefined ? undefined : await readHeadFile(options.head)
  const headSha256 = head?.sha256
  const encoders = await chooseEncoders(options, undefined)
  const recipe = createRecipe(findPack(packName), settings, headSha256, encoders)
  if (head !== undefined) checkHead(head, recipe)
  const { digest, embedderDigest, spaceDigest, features } = recipe
  return {
    ...{ digest, embedderDigest, spaceDigest, settings },
    packName: keepablePackName(packName),
    ...(headSha256 === undefined ? {} : { headSha256 }),
    ...(features === undefined ? {} : { features }),
  }
}

async function submit(
  session: KafkaSession,
  paths: readonly string[],
  recipe: WireRecipe,
  { json, wait, again }: SubmitOptions,
  signal: AbortSignal,
): Promise<number> {
  const { connection, log } = session
  await createTopics(session.kafka, connection)
  // A broker has answered. From now on an unavailable broker is waited for.
  const kafka = createKafka(connection, log, 'patient')
  const publisher = createRetryingPublisher(await createPublisher(kafka), {
    signal,
    onAway: () => note('the broker does not take messages at the moment: waiting for it'),
    onBack: () => note('the broker takes messages again'),
  })
  const reporter = createSubmitReporter(json)
  const submission = new Submission({
    ...{ connection, publisher, recipe, again, wait, signal },
    events: reporter,
  })
  const stop = new AbortController()
  let reader: TopicReader | undefined
  try {
    reader = await startTopicReader({
      ...{ kafka, connection, log },
      topic: topicName(connection, 'status'),
      onMessage: (message) => submission.onStatus(message),
    })
    await reader.caughtUp
    await submission.submit(findInputs(paths))
    if (wait)
      await Promise.race([
        submission.finished,
        new Promise((resolve) => signal.addEventListener('abort', resolve)),
        resubmitLost({ ...session, kafka }, submission, stop.signal),
      ])
  } catch (error) {
    if (!signal.aborted) throw error
  } finally {
    stop.abort()
    reporter.stop()
    await reader?.stop()
    await publisher.disconnect()
  }
  reporter.summarise()
  if (signal.aborted) {
    note('clips stay in the queue: run the same command again to wait for them')
    return exitCodes.interrupted
  }
  return reporter.failed > 0 ? exitCodes.someFailed : exitCodes.ok
}

/**
 * Submits awaited clips again if no worker has anything left to do: an earlier run was killed between the
 * note that a clip is queued and its job, or the topic was emptied. While clips are being finished, the
 * brokers are not asked. Clips that are lost again and again, for example because workers have an older
 * version, are reported as failed.
 */
async function resubmitLost(
  { kafka, connection }: KafkaSession,
  submission: Submission,
  signal: AbortSignal,
): Promise<void> {
  let wasIdle = false
  let lost = 0
  for (;;) {
    const before = submission.waiting
    await sleep(checkEveryMs, undefined, { signal }).catch(() => undefined)
    if (signal.aborted) return
    const isIdle =
      before > 0 && submission.waiting === before && (await workersAreIdle({ kafka, connection }))
    if (submission.waiting < before) lost = 0
    if (isIdle && wasIdle && ++lost > mostResubmissions) {
      submission.giveUpWaiting()
      note('"cameo dead-letters list" shows messages that workers could not read')
      return
    }
    if (isIdle && wasIdle) {
      const count = await submission.resubmitWaiting()
      note(
        `${counted(count, 'clip was', 'clips were')} not in the queue any more and ${pluralOf(count, 'was', 'were')} submitted again`,
      )
    }
    wasIdle = isIdle && !wasIdle
  }
}

/** True if each stage has workers, and they have finished everything in their topics. */
async function workersAreIdle({
  kafka,
  connection,
}: Pick<KafkaSession, 'kafka' | 'connection'>): Promise<boolean> {
  const { groups } = await clusterStatus(kafka, connection).catch(() => ({ groups: [] }))
  // A group without members does no work: usually its archive is gone.
  const working = groups.filter(({ workers }) => workers.length > 0)
  return (
    stages.every((stage) => working.some((group) => group.stage === stage)) &&
    working.every(({ lag }) => lag === 0)
  )
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
