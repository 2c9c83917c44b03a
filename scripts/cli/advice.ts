import { CameoError, messageOf } from '../../pipeline/common/errors.js'
import type { ErrorDetails, Remedy } from '../../pipeline/common/remedies.js'

type AdviceTable = { readonly [R in Remedy]: (details: ErrorDetails<R>) => string }

/** How to apply each remedy in a shell. The library's errors do not know commands and options. */
const advice: AdviceTable = {
  'pull-models': (details) => `run "cameo models pull${'pack' in details ? ` ${details.pack}` : ''}"`,
  'install-cuda': () =>
    'on Linux x64 run "ONNXRUNTIME_NODE_INSTALL=cuda12 npm rebuild onnxruntime-node"; otherwise use --device cpu',
  'use-cpu': () => 'give --device cpu',
  'install-ffmpeg': () => 'for example with "apt-get install ffmpeg" or "brew install ffmpeg"',
  'add-embedder': () => '"cameo ingest --embedder FILE" adds its embeddings',

  'ingest-first': ({ archive }) =>
    `run "cameo ingest FOLDER --archive ${archive}", or give another --archive`,
  reprocess: ({ differs }) =>
    differs === 'version'
      ? 'give --reprocess, or another --archive'
      : 'leave the options out to continue with its own, use another --archive, or give --reprocess to process every clip again',
  'free-space': () => 'free some space and run the same command again: it continues where it stopped',
  'repair-archive': ({ archive }) => `"cameo ingest --repair --archive ${archive}" repairs it`,
  'check-archive': () => '"cameo doctor --deep" says which',
  'upgrade-archive': ({ archive }) => `run "cameo status --archive ${archive}" as that user`,
  'finish-erasure': () => 'any command on this archive does so, for example "cameo status"',
  'forget-clip': ({ clipId }) => `"cameo forget --clip ${clipId}" forgets it`,

  'choose-face': () => 'give its number with --face NUMBER',
  'give-as': ({ kind }) => `give it with --${kind}`,
  'choose-setting': ({ between }) =>
    between === 'mirror'
      ? 'give either --mirror or --keep-mirrored'
      : 'give either --fps or --sampling keyframes',
  'choose-rate': () => 'give --rate, or --format otio',
  'list-faces': () => '"cameo enroll NAME --list" shows them',
  'give-range': () => 'give it with --range START-END',
  'enroll-all-the-same': () => 'give --force for that',
  'refresh-names': () => 'run "cameo people refresh"',
  'enroll-first': () => 'run "cameo enroll NAME PHOTO"',

  wait: ({ seconds }) => `wait ${seconds} s before the next attempt`,

  'give-identities': () =>
    'say how identities are known: give --gallery train_gt.txt or --head head.onnx, or enroll names with "cameo enroll"',
  'train-head': () => '"cameo head train" writes one',
  'name-report': () => '"cameo eval --report" writes one',
  'name-rankings': () => '"cameo eval map" and "cameo eval ladder" write such reports',
  'resume-training': () => 'give --resume to continue',
  'train-anew': () => 'leave --resume out',

  'mount-root': () => 'give it with --root',
  'allow-clip': () => 'see --root and --allow-host of "cameo worker"',
  'other-scratch': () => 'give another one with --scratch',
  'enlarge-scratch': () => 'raise --scratch-size',
  'lower-fetch-rate': () => 'see --fetch-rate of "cameo worker faces"',

  'check-credentials': () => 'check KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD',
  'trust-certificate': () =>
    'set KAFKA_SSL_CA_FILE to the certificate of its authority, and give --brokers with the names in the certificate',
  'secure-connection': () => 'set KAFKA_SSL=true or KAFKA_SASL_*',
  'start-broker': () =>
    'start one with "docker compose up -d kafka" or "scripts/kafka.sh start", or give --brokers',
  'create-topics': () => 'run "cameo topics create"',
  'replay-archive': ({ changed }) =>
    changed === 'topic' ? 'run "cameo replay"' : 'give its --brokers, or run "cameo replay"',

  'retry-message': () => 'run "cameo dead-letters retry"',
  'read-dead-letters': () => '"cameo dead-letters list" shows them',
  'use-same-head': ({ stage, headSha256 }) =>
    `start "cameo worker ${stage}${headSha256 === undefined ? '" without --head' : ' --head FILE"'}`,
  'use-same-encoder': ({ kind }) => `start "cameo worker faces --${kind} FILE"`,
  'fewer-contexts': () => 'give fewer --context',
  'fewer-faces': () => 'lower --faces-per-track, or give fewer --embedder',
}

function wordsFor<R extends Remedy>(details: ErrorDetails<R>): string {
  return advice[details.remedy](details)
}

/**
 * What to do about an error in a shell, as a clause; undefined if the error's message already says
 * everything.
 */
export function adviceFor(error: unknown): string | undefined {
  if (!(error instanceof CameoError) || error.details === undefined) return undefined
  return wordsFor(error.details)
}

/** What happened and what to do about it, for a person at a shell. A list in the message stays at its end. */
export function adviceMessageOf(error: unknown): string {
  return withAdvice(messageOf(error), error instanceof CameoError ? error.details : undefined)
}

/** As `adviceMessageOf`, for a notice. */
export function withAdvice(message: string, details: ErrorDetails | undefined): string {
  if (details === undefined) return message
  const words = wordsFor(details)
  const [first = '', ...list] = message.split('\n')
  return list.length === 0
    ? `${first}: ${words}`
    : [`${first.replace(/:$/, '')} (${words}):`, ...list].join('\n')
}
