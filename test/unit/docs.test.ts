/** Checks that README.md and docs/ are correct about files, commands, codes and variables. */
import assert from 'node:assert/strict'
import type { Command } from 'commander'
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { before, describe, it } from 'node:test'
import { z } from 'zod'
import { errorCodes } from '../../pipeline/common/errors.js'
import { exitCodes } from '../../scripts/cli/output.js'
import {
  anchorsOf,
  commandsOf,
  inlineCodeOf,
  isShell,
  linksOf,
  readDocuments,
  repository,
  wordsOf,
  type Document,
} from '../support/docs/markdown.js'

const documents = readDocuments()
const textOf = (file: string) => {
  const document = documents.find((one) => one.file === file)
  assert.ok(document, `${file} is missing`)
  return document.text
}

/** Commands in blocks and in the text. */
const commandsIn = ({ text, blocks }: Document) => [
  ...blocks.filter(isShell).flatMap(commandsOf),
  ...inlineCodeOf(text),
]

describe('README and docs', () => {
  it('README has at most 150 lines', () => {
    const lines = textOf('README.md').trimEnd().split('\n').length
    assert.ok(lines <= 150, `${lines} lines`)
  })

  it('every relative link leads to a file and an anchor that exist', () => {
    const broken = documents.flatMap(({ file, text }) =>
      linksOf(text)
        .filter((target) => !/^[a-z]+:/.test(target))
        .filter((target) => !leadsSomewhere(file, text, target))
        .map((target) => `${file}: ${target}`),
    )
    assert.deepEqual(broken, [])
  })

  it('every document is linked from README', () => {
    const linked = new Set(linksOf(textOf('README.md')))
    const forgotten = documents
      .map(({ file }) => file)
      .filter((file) => file !== 'README.md' && !linked.has(file))
    assert.deepEqual(forgotten, [])
  })

  it('every named npm script exists', () => {
    const { scripts } = z
      .object({ scripts: z.record(z.string(), z.string()) })
      .parse(JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')))
    const named = documents.flatMap((document) =>
      commandsIn(document).flatMap((command) =>
        [...command.matchAll(/\bnpm run ([\w:]+)/g)].map(([, name = '']) => name),
      ),
    )
    assert.ok(named.length > 20)
    assert.deepEqual(
      named.filter((name) => !(name in scripts)),
      [],
    )
  })

  it('a block that another test runs names a test that reads its document', () => {
    const wrong = documents.flatMap(({ file, blocks }) =>
      blocks.flatMap(({ mark, line }) =>
        mark?.kind === 'tested' && !readFileSync(join(repository, mark.by), 'utf8').includes(file)
          ? [`${file}:${line} ${mark.by}`]
          : [],
      ),
    )
    assert.deepEqual(wrong, [])
  })

  it('blocks are commands (sh), output (text), files (json), diagrams (mermaid) or programs (ts)', () => {
    const known = new Set(['sh', 'bash', 'text', 'json', 'mermaid', 'ts'])
    const others = documents.flatMap(({ file, blocks }) =>
      blocks
        .filter(({ language }) => !known.has(language))
        .map(({ line, language }) => `${file}:${line} ${language}`),
    )
    assert.deepEqual(others, [])
  })
})

function leadsSomewhere(file: string, text: string, target: string): boolean {
  const [path = '', anchor] = target.split('#')
  const found = path === '' ? join(repository, file) : join(repository, dirname(file), path)
  if (!existsSync(found)) return false
  if (anchor === undefined) return true
  if (statSync(found).isDirectory()) return false
  return anchorsOf(path === '' ? text : readFileSync(found, 'utf8')).has(anchor)
}

describe('commands in README and docs', () => {
  let program: Command
  before(async () => {
    const { createProgram } = await import('../../scripts/program.js')
    program = await createProgram()
  })

  it('every cameo command and its options exist', () => {
    const named = documents.flatMap((document) =>
      commandsIn(document)
        .filter((command) => /^(npx )?cameo( |$)/.test(command))
        .map((command) => ({ file: document.file, command })),
    )
    assert.ok(named.length > 50)
    const wrong = named
      .map(({ file, command }) => ({ file, command, unknown: unknownPart(program, command) }))
      .filter(({ unknown }) => unknown !== undefined)
    assert.deepEqual(wrong, [])
  })

  it('every option in the text belongs to a command', () => {
    const options = new Set(allOptions(program))
    options.add('--help')
    const unknown = documents.flatMap(({ file, text }) =>
      inlineCodeOf(text)
        .filter((code) => code.startsWith('--'))
        .map((code) => code.split(/[ =[]/)[0] ?? '')
        .filter((option) => !options.has(option))
        .map((option) => `${file}: ${option}`),
    )
    assert.deepEqual(unknown, [])
  })
})

/** The part of a command line that the program does not know: a command or an option. */
function unknownPart(program: Command, line: string): string | undefined {
  let command = program
  const words = wordsOf(line.replace(/^npx /, '')).slice(1)
  for (const word of words) {
    if (word.startsWith('--')) {
      if (!command.options.some(({ long }) => long === word) && word !== '--help') return word
      continue
    }
    const below = command.commands.find((one) => one.name() === word)
    if (below !== undefined) command = below
    else if (command.commands.length > 0 && !/^…|^[a-z]+(\|[a-z]+)+$/.test(word)) return word
  }
  return undefined
}

function allOptions(command: Command): string[] {
  const own = command.options.map(({ long }) => long ?? '')
  return [...own, ...command.commands.flatMap(allOptions)]
}

describe('tables in docs', () => {
  const operations = textOf(join('docs', 'operations.md'))
  const rowsOf = (pattern: RegExp) => [...operations.matchAll(pattern)]

  it('every error code is explained, with whether it is retriable', () => {
    const rows = rowsOf(/^\| `([A-Z_]+)` +\| (yes|no) /gm).map(([, code, retriable]) => [
      code,
      retriable === 'yes',
    ])
    const codes = Object.entries(errorCodes).map(([code, { retriable }]) => [code, retriable])
    assert.deepEqual(Object.fromEntries(rows), Object.fromEntries(codes))
  })

  it('every exit code is explained', () => {
    const rows = rowsOf(/^\| (\d+) +\|/gm).map(([, code]) => Number(code))
    assert.deepEqual(rows.sort(byNumber), Object.values(exitCodes).sort(byNumber))
  })

  it('every environment variable in the code is explained', () => {
    const explained = new Set(inlineCodeOf(operations + textOf(join('docs', 'development.md'))))
    const named = sourcesIn(['pipeline', 'index', 'workers', 'scripts']).flatMap(
      ({ text }) => text.match(/\b(CAMEO|KAFKA|FFMPEG|PIP|ONNXRUNTIME)_[A-Z_]*[A-Z]\b/g) ?? [],
    )
    const missing = new Set(named.filter((name) => !(name in errorCodes) && !explained.has(name)))
    assert.ok(named.length > 50)
    assert.deepEqual([...missing], [])
  })

  it('every key of --json is explained', () => {
    const explained = new Set(textOf(join('docs', 'json.md')).match(/\w+/g))
    const snapshot = z
      .record(z.string(), z.record(z.string(), z.string()))
      .parse(JSON.parse(readFileSync(join(repository, 'test/frozen/json-keys.json'), 'utf8')))
    const keys = Object.values(snapshot).flatMap((shape) =>
      Object.keys(shape).flatMap((key) => key.match(/\w+/g) ?? []),
    )
    assert.ok(keys.length > 300)
    assert.deepEqual([...new Set(keys.filter((key) => !explained.has(key)))], [])
  })
})

const byNumber = (a: number, b: number) => a - b

/** The programs below folders of the repository. */
function sourcesIn(folders: readonly string[]): { readonly name: string; readonly text: string }[] {
  return (
    folders
      .flatMap((folder) =>
        readdirSync(join(repository, folder), { recursive: true, encoding: 'utf8' }).map((name) =>
          join(folder, name),
        ),
      )
      // Comments of the ONNX project.
      .filter((name) => /\.(ts|mjs|sh)$/.test(name) && !name.startsWith('pipeline/onnx/proto/'))
      .map((name) => ({ name, text: readFileSync(join(repository, name), 'utf8') }))
  )
}

describe('comments in the code', () => {
  it('refer only to documents in the repository', () => {
    const sources = sourcesIn(['pipeline', 'index', 'workers', 'scripts', 'test'])
    assert.ok(sources.length > 500)
    const here = join('test', 'unit', 'docs.test.ts')
    const lost = sources.flatMap(({ name, text: whole }) => {
      const text = name === here ? '' : whole.replaceAll(/\w+\.(com|org|io)\/\S+/g, '')
      // A document by its file, or by its name in capitals and a section.
      return [...text.matchAll(/[\w/-]+\.md\b|\b[A-Z]{4,} §\d/g)]
        .map(([document]) => document)
        .filter((document) => !existsSync(join(repository, document)))
        .map((document) => `${name}: ${document}`)
    })
    assert.deepEqual(lost, [])
  })
})
