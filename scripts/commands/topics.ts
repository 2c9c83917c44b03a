import { Command, Option } from 'commander'
import { readDeadLetters } from '../../workers/kafka/messages/dead-letters.js'
import { trimTopics } from '../../workers/kafka/broker/trim-topics.js'
import { clusterStatus, type ClusterStatus } from '../../workers/kafka/broker/cluster-status.js'
import { createTopics } from '../../workers/kafka/broker/create-topics.js'
import { topicName, topicSpecs } from '../../workers/kafka/broker/topics.js'
import { brokersOption, kafkaHelp } from '../cli/kafka-options.js'
import { withKafka } from '../cli/kafka-session.js'
import { jsonOption, numberWithin } from '../cli/options.js'
import { counted, exitCodes, note, oneLine, pluralOf, print, printJson } from '../cli/output.js'

interface TopicsOptions {
  readonly brokers: string
  readonly json: boolean
}

export const topicsCommand = new Command('topics')
  .description('Create, inspect and clean up the topics that clips travel through.')
  .addHelpText('after', kafkaHelp)

topicsCommand
  .command('create')
  .description(
    'Create the topics that are missing. Workers and "submit" do so, too, with the usual partitions.',
  )
  .addOption(brokersOption())
  .addOption(
    new Option(
      '--partitions <n>',
      'partitions of the jobs: at least as many as there will ever be faces workers (default: 48)',
    ).argParser(numberWithin(1, 10_000, 'integer')),
  )
  .addOption(jsonOption())
  .action(async ({ brokers, json, partitions }: TopicsOptions & { readonly partitions?: number }) => {
    const { connection, made, ...topics } = await withKafka(brokers, async ({ kafka, connection }) => ({
      connection,
      ...(await createTopics(kafka, connection, partitions === undefined ? {} : { jobs: partitions })),
    }))
    if (json) printJson({ created: made })
    else
      for (const { kind, carries, retention } of topicSpecs) {
        const name = topicName(connection, kind)
        print(`${made.includes(name) ? 'made ' : 'there'} ${name.padEnd(20)} ${carries} (${retention})`)
      }
    const jobs = topicName(connection, 'jobs')
    const there = topics.partitions.get(jobs)
    if (partitions !== undefined && there !== undefined && there !== partitions)
      note(`the topic ${jobs} exists with ${counted(there, 'partition')} and stays unchanged`)
    process.exitCode = exitCodes.ok
  })

topicsCommand
  .command('status')
  .description('Show messages, workers, and how far behind the workers are.')
  .addOption(brokersOption())
  .addOption(jsonOption())
  .action(async ({ brokers, json }: TopicsOptions) => {
    const [status, deadLetters] = await withKafka(brokers, async ({ kafka, connection, log }) => {
      const now = await clusterStatus(kafka, connection)
      const letters = now.topics.find(({ topic }) => topic === topicName(connection, 'dead-letters'))
      // Retried letters leave empty messages behind.
      const isEmpty = letters?.messages === 0
      return [now, isEmpty ? 0 : (await readDeadLetters(kafka, connection, log)).letters.length] as const
    })
    if (json) printJson({ ...status, deadLetters })
    else showStatus(status, deadLetters)
    process.exitCode = exitCodes.ok
  })

function showStatus({ clusterId, topics, groups }: ClusterStatus, deadLetters: number): void {
  print(`cluster ${clusterId}`)
  for (const { topic, partitions, messages } of topics)
    print(
      `  ${topic.padEnd(22)} ${`${partitions}`.padStart(4)} ${pluralOf(partitions, 'partition').padEnd(10)} ${`${messages}`.padStart(10)} ${pluralOf(messages, 'message')}`,
    )
  if (groups.length === 0)
    print('no worker was ever here: start "cameo worker faces", "describe" and "index"')
  for (const { group, lag, workers } of groups) {
    print(`${group}: ${counted(workers.length, 'worker')}, ${counted(lag, 'message')} to do`)
    for (const { client, host, partitions, lag } of workers)
      print(
        `  ${oneLine(client)} ${oneLine(host)}: ` +
          (lag === undefined
            ? 'the group is rebalancing'
            : `${counted(partitions, 'partition')}, ${counted(lag, 'message')} to do`),
      )
  }
  if (deadLetters > 0) print(`${counted(deadLetters, 'dead letter')}: "cameo dead-letters list" says why`)
}

topicsCommand
  .command('trim')
  .description(
    'Delete jobs and embeddings that are finished. The descriptors, from which an archive is rebuilt, stay.',
  )
  .addOption(brokersOption())
  .addOption(jsonOption())
  .action(async ({ brokers, json }: TopicsOptions) => {
    const deleted = await withKafka(brokers, ({ kafka, connection }) => trimTopics(kafka, connection))
    if (json) printJson({ deleted })
    else print(`${counted(deleted, 'message')} deleted`)
    process.exitCode = exitCodes.ok
  })
