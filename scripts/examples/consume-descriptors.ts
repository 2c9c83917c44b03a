/**
 * Reads the descriptors that the Kafka workers publish, from the topic's beginning, and tells of each segment that is complete.
 * It needs a Kafka client: npm install kafkajs
 *
 *     node consume-descriptors.js BROKERS TOPIC SEGMENTS
 *
 * SEGMENTS: after how many segments it ends.
 */
import { basename } from 'node:path'
import { CameoError, descriptorOf, readDescriptorsMessage, type DescribedTracks } from 'cameo'
import { Kafka, logLevel } from 'kafkajs'

const [brokers = '127.0.0.1:9092', topic = 'cameo.descriptors', segments = '1'] = process.argv.slice(2)

const kafka = new Kafka({ brokers: brokers.split(','), logLevel: logLevel.NOTHING })
const consumer = kafka.consumer({ groupId: `example-${process.pid}` })

/** Tracks of each run over a segment, by part: a part that comes twice is the same. */
const runs = new Map<string, Map<number, DescribedTracks['tracks']>>()
let left = Number(segments)

function read(value: Buffer | null): void {
  const message = readDescriptorsMessage(value)
  if (message.kind === 'given-up') {
    console.log(`${basename(message.source.uri)}: ${message.failure.message}`)
    return
  }
  const run = `${message.clipId} ${message.segment} ${message.attempt}`
  const parts = runs.get(run) ?? new Map<number, DescribedTracks['tracks']>()
  runs.set(run, parts)
  if (message.kind === 'described') {
    parts.set(message.part, message.tracks)
    return
  }
  runs.delete(run)
  // A clip's messages come in order: with the closing message all its parts are there, or the run is to be left out.
  if (parts.size < message.parts) return
  console.log(`${basename(message.source.uri)}, segment ${message.segment}: ${message.tracks} tracks`)
  for (const track of [...parts.values()].flat()) {
    const [[startS, endS] = [0, 0]] = track.spansS
    const { length } = descriptorOf(track)
    console.log(`  ${startS.toFixed(1)}–${endS.toFixed(1)} s: descriptor of ${length} values`)
  }
  left--
}

await consumer.connect()
await consumer.subscribe({ topic, fromBeginning: true })
await new Promise<void>((resolve, reject) => {
  void consumer.run({
    eachMessage({ message: { value } }) {
      try {
        read(value)
      } catch (error) {
        // What is no message of Cameo's is passed over.
        if (!(error instanceof CameoError)) reject(error instanceof Error ? error : new Error(String(error)))
      }
      if (left <= 0) resolve()
      return Promise.resolve()
    },
  })
})
await consumer.disconnect()
