import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import ts from 'typescript'

const root = join(import.meta.dirname, '../../..')

/** Layers for users who may have no shell. Commands and options belong in scripts/cli/advice.ts. */
const layers = ['pipeline', 'index', 'workers']

/** `cameo ingest`, or `cameo ${command}`; not `cameo.sqlite` or `cameo-data`. */
const command = /\bcameo (?:[a-z]|$)/
/** `--face`; not `var(--paper)` or `a--b`. */
const option = /(?<![\w-]|var\()--[a-z]/
/** `--paper: #fff`, `--low: ${share}` */
const customProperty = /--[a-z][\w-]*:\s*/g

/** These files contain style sheets and SVG. */
const hasStyles = (file: string) => file.startsWith('index/evaluate/report/')

/** Every text of a source with its line. A template gives one text per piece. */
function textsOf(file: string, source: string): { readonly text: string; readonly line: number }[] {
  const parsed = ts.createSourceFile(file, source, ts.ScriptTarget.Latest, true)
  const texts: { text: string; line: number }[] = []
  const visit = (node: ts.Node): void => {
    if (ts.isStringLiteralLike(node) || ts.isTemplateHead(node) || ts.isTemplateMiddleOrTemplateTail(node)) {
      const { line } = parsed.getLineAndCharacterOfPosition(node.getStart(parsed))
      texts.push({ text: node.text, line: line + 1 })
    }
    ts.forEachChild(node, visit)
  }
  visit(parsed)
  return texts
}

/** "file:line: text" of each text that names a command or an option. */
function shellWordsIn(file: string, source: string): string[] {
  return textsOf(file, source).flatMap(({ text, line }) => {
    const rest = hasStyles(file) ? text.replace(customProperty, '') : text
    return command.test(rest) || option.test(rest) ? [`${file}:${line}: ${text}`] : []
  })
}

const sources = layers
  .flatMap((layer) =>
    readdirSync(join(root, layer), { recursive: true, encoding: 'utf8' }).map((file) => `${layer}/${file}`),
  )
  .filter((file) => file.endsWith('.ts'))

const found = sources.flatMap((file) => shellWordsIn(file, readFileSync(join(root, file), 'utf8')))

describe('texts of pipeline/, index/ and workers/', () => {
  it('name no command and no option: their users may have no shell', () => {
    assert.ok(sources.length > 200)
    assert.deepEqual(found, [], 'give the error a remedy, and write its text in scripts/cli/advice.ts')
  })
})

describe('the search for commands and options', () => {
  const wordsIn = (source: string, file = 'pipeline/a.ts') => shellWordsIn(file, source).length

  it('finds them in strings and templates', () => {
    assert.equal(wordsIn(`const a = 'run "cameo models pull"'`), 1)
    assert.equal(wordsIn('const a = `run cameo ${name}`'), 1)
    assert.equal(wordsIn('const a = `${name}: give --face NUMBER, or leave it ${away}`'), 1)
    assert.equal(wordsIn(`const a = '(--face: which)'`), 1)
    assert.equal(wordsIn(`const a = '--embedder'`), 1)
  })

  it('ignores comments, file names, ffmpeg arguments and style sheets', () => {
    assert.equal(wordsIn('// cameo ingest --face\n/** cameo status */\nconst a = i--'), 0)
    assert.equal(wordsIn(`const a = ['cameo.sqlite', 'cameo-data', '-fps_mode', 'var(--ink)', 'a -- b']`), 0)
    assert.equal(wordsIn('const a = `:root { --paper: #fff; }`', 'index/evaluate/report/style.ts'), 0)
  })
})
