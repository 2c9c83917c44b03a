/**
 * Reads the descriptors that the Kafka workers publish, from the topic's beginning, and reports each complete
 * segment. It needs a Kafka client: npm install kafkajs
 *
 *     node consume-descriptors.js BROKERS TOPIC SEGMENTS
 *
 * SEGMENTS: it ends after this many segments.
 */
import { basename } from 'node:path'
import {
  CameoError,
  descriptorOf,
  readDescriptorsMessage,
  type DescribedTracks,
  type SegmentClosing,
} from 'cameo'
import { Kafka, logLevel } from 'kafkajs'

const [brokers = '127.0.0.1:9092', topic = 'cameo.descriptors', segments = '1'] = process.argv.slice(2)

const kafka = new Kafka({ brokers: brokers.split(','), logLevel: logLevel.NOTHING })
const consumer = kafka.consumer({ groupId: `example-${process.pid}` })

/** One attempt at a segment. Its messages come in any order, and each may come twice. */
interface Run {
  readonly parts: Map<number, DescribedTracks>
  closing?: SegmentClosing
}

const runs = new Map<string, Run>()
let left = Number(segments)

function read(value: Buffer | null): void {
  const message = readDescriptorsMessage(value)
  if (message.kind === 'given-up') {
    console.log(`${basename(message.source.uri)}: ${message.failure.message}`)
    return
  }
  const key = `${message.clipId} ${message.segment} ${message.attempt}`
  const run: Run = runs.get(key) ?? { parts: new Map() }
  runs.set(key, run)
  if (message.kind === 'described') run.parts.set(message.part, message)
  else run.closing = message
  if (run.closing === undefined || run.parts.size < run.closing.parts) return
  runs.delete(key)
  show(run.closing, [...run.parts.values()])
  left--
}

function show({ source, segment, tracks }: SegmentClosing, parts: readonly DescribedTracks[]): void {
  console.log(`${basename(source.uri)}, segment ${segment}: ${tracks} tracks`)
  for (const track of parts.flatMap((part) => part.tracks)) {
    const [[startS, endS] = [0, 0]] = track.spansS
    const { length } = descriptorOf(track)
    console.log(`  ${startS.toFixed(1)}–${endS.toFixed(1)} s: descriptor of ${length} values`)
  }
}

await consumer.connect()
await consumer.subscribe({ topic, fromBeginning: true })
await new Promise<void>((resolve, reject) => {
  void consumer.run({
    eachMessage({ message: { value } }) {
      try {
        read(value)
      } catch (error) {
        // A message that is not from Cameo is reported and skipped.
        if (error instanceof CameoError) console.error(`${error.code}: ${error.message}`)
        else reject(error instanceof Error ? error : new Error(String(error)))
      }
      if (left <= 0) resolve()
      return Promise.resolve()
    },
  })
})
await consumer.disconnect()
