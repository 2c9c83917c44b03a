/**
 * Runs every block of commands in README.md and docs/, except blocks that are marked with what they need. The
 * rules are in docs/development.md.
 */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, describe, it } from 'node:test'
import { promisify } from 'node:util'
import { z } from 'zod'
import { copyOfHome, makeHome } from '../support/docs/home.js'
import {
  commandsOf,
  inlineCodeOf,
  isShell,
  readDocuments,
  repository,
  wordsOf,
  type Block,
} from '../support/docs/markdown.js'
import { BlockRunner } from '../support/docs/run-blocks.js'

const documents = readDocuments()
let template: string
before(async () => {
  template = await makeHome()
})

const runsHere = (block: Block) =>
  isShell(block) && (block.mark === undefined || (block.mark.kind === 'run' && block.mark.after === 'ingest'))

describe('commands of the documents', { concurrency: 2 }, () => {
  for (const document of documents.filter(({ blocks }) => blocks.some(runsHere)))
    describe(document.file, { concurrency: 1 }, () => {
      let runner: BlockRunner
      before(() => {
        runner = new BlockRunner(copyOfHome(template))
        runner.writeFiles(document)
      })
      for (const block of document.blocks.filter(runsHere))
        it(`line ${block.line}: ${commandsOf(block)[0]}`, async () => {
          if (block.mark !== undefined) await runner.runCommand('npx cameo ingest ~/archive')
          await runner.run(block)
        })
    })
})

describe('a block', () => {
  it('fails if one of its commands fails or does not exist', async () => {
    const runner = new BlockRunner(copyOfHome(template))
    await assert.rejects(runner.runCommand('npx cameo no-such-command'), /unknown command/)
    await assert.rejects(runner.runCommand('npx other'), /npx other is not tried/)
    await assert.rejects(runner.runCommand('no-such-program'), /not found/)
  })
})

describe('npm scripts of the documents', () => {
  const { scripts } = z
    .object({ scripts: z.record(z.string(), z.string()) })
    .parse(JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')))
  const lines = documents.flatMap(({ text, blocks }) => [
    ...blocks.flatMap(commandsOf),
    ...inlineCodeOf(text),
  ])
  const withOptions = new Set(lines.filter((line) => /^npm run [\w:]+ -- --/.test(line)))
  /** An option that no script has. */
  const none = '--no-such-option'

  it('some have options', () => assert.ok(withOptions.size >= 3))

  for (const line of withOptions)
    it(`${line}: its options are known`, async () => {
      const [, name = '', ...options] = wordsOf(line.replace('npm run', 'npm').replace(' -- ', ' '))
      const [, file = ''] = /node (\S+\.js)$/.exec(scripts[name] ?? '') ?? []
      const run = promisify(execFile)(process.execPath, [join(repository, file), ...options, none])
      // Options are read before any work. The first unknown one is reported.
      await assert.rejects(run, new RegExp(`nknown option '${none}'`))
    })
})
