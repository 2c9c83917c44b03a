/** Runs the blocks of commands in docs/ that need a broker. The rules are in docs/development.md. */
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { testBroker, type TestBroker } from '../support/broker.js'
import { copyOfHome, makeHome } from '../support/docs/home.js'
import { commandsOf, isShell, readDocuments, type Block } from '../support/docs/markdown.js'
import { BlockRunner } from '../support/docs/run-blocks.js'

const runsHere = (block: Block) =>
  isShell(block) && block.mark?.kind === 'run' && block.mark.after === 'kafka'
const documents = readDocuments().filter(({ blocks }) => blocks.some(runsHere))

describe('Kafka: commands of the documents', { timeout: 5 * 60_000 }, () => {
  let broker: TestBroker
  let template: string
  before(async () => {
    ;[broker, template] = await Promise.all([testBroker(), makeHome()])
  })
  after(() => broker.stop())

  it('exist', () => assert.ok(documents.length > 0))

  for (const document of documents)
    describe(document.file, () => {
      let runner: BlockRunner
      before(() => {
        const settings = { KAFKA_BROKERS: broker.brokers, KAFKA_TOPIC_PREFIX: `docs.${process.pid}` }
        runner = new BlockRunner(copyOfHome(template, settings))
      })
      for (const block of document.blocks.filter(runsHere))
        it(`line ${block.line}: ${commandsOf(block)[0]}`, () => runner.run(block))
      it('workers end when asked to', () => runner.stopWorkers())
    })
})
