import { Command } from 'commander'
import { CameoError } from '../../pipeline/common/errors.js'
import {
  readDeadLetters,
  retryDeadLetters,
  type DeadLetters,
  type ListedDeadLetter,
} from '../../workers/kafka/messages/dead-letters.js'
import { brokersOption, kafkaHelp } from '../cli/kafka-options.js'
import { withKafka } from '../cli/kafka-session.js'
import { jsonOption } from '../cli/options.js'
import { counted, exitCodes, note, oneLine, pluralOf, print, printJson } from '../cli/output.js'

interface LettersOptions {
  readonly brokers: string
  readonly json: boolean
}

export const deadLettersCommand = new Command('dead-letters')
  .description('Show messages that could not be processed, with reasons, and send them again.')
  .addHelpText('after', kafkaHelp)

deadLettersCommand
  .command('list')
  .description('List all dead letters, oldest first.')
  .addOption(brokersOption())
  .addOption(jsonOption())
  .addHelpText(
    'after',
    `
With --json, one line per letter: {id, stage, uri, code, message, attempts, at, topic, partition, offset, bytes}.`,
  )
  .action(async ({ brokers, json }: LettersOptions) => {
    const read = await withKafka(brokers, ({ kafka, connection, log }) =>
      readDeadLetters(kafka, connection, log),
    )
    const letters = readable(read)
    for (const letter of letters)
      if (json) printJson(asJson(letter))
      else {
        const { id, stage, uri, failure, attempts, at } = letter
        print(`${at} ${stage} ${id}${uri === undefined ? '' : ` ${oneLine(uri)}`}`)
        print(
          `  ${oneLine(failure.message)} [${failure.code}]${attempts > 1 ? ` after ${attempts} attempts` : ''}`,
        )
      }
    if (!json && letters.length === 0) print('no dead letters')
    process.exitCode = exitCodes.ok
  })

function readable({ letters, unreadable }: DeadLetters): readonly ListedDeadLetter[] {
  if (unreadable.length > 0)
    note(
      `${counted(unreadable.length, 'message')} of the topic ${pluralOf(unreadable.length, 'is not a letter', 'are not letters')} of this version and ${pluralOf(unreadable.length, 'is', 'are')} left there`,
    )
  return letters
}

function asJson({
  id,
  stage,
  uri,
  failure,
  attempts,
  at,
  topic,
  partition,
  offset,
  original,
}: ListedDeadLetter) {
  return {
    ...{ id, stage, uri, ...failure, attempts, at, topic, partition, offset },
    bytes: original?.byteLength ?? 0,
  }
}

deadLettersCommand
  .command('retry')
  .description(
    'Send the original messages again: all of them, or those named. If an archive refused one, its whole clip is processed again.',
  )
  .argument('[ids...]', 'ids as "list" shows them')
  .addOption(brokersOption())
  .addOption(jsonOption())
  .action(async (ids: string[], { brokers, json }: LettersOptions) => {
    const sent = await withKafka(brokers, async ({ kafka, connection, log }) => {
      const letters = readable(await readDeadLetters(kafka, connection, log))
      const unknown = ids.filter((id) => !letters.some((letter) => letter.id === id))
      if (unknown.length > 0)
        throw new CameoError(
          'USAGE',
          `there is no dead letter ${unknown.join(', ')}: "cameo dead-letters list" shows them`,
        )
      const chosen = ids.length === 0 ? letters : letters.filter(({ id }) => ids.includes(id))
      const kept = chosen.filter(({ original }) => original !== undefined)
      const lost = chosen.length - kept.length
      if (lost > 0)
        note(
          `${counted(lost, 'letter holds', 'letters hold')} no message, which was empty or too large: submit ${pluralOf(lost, 'its clip', 'their clips')} again`,
        )
      await retryDeadLetters(kafka, connection, kept)
      return kept.length
    })
    if (json) printJson({ sent })
    else print(`${counted(sent, 'message')} sent again`)
    process.exitCode = exitCodes.ok
  })
