import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { describe, it } from 'node:test'
import ts from 'typescript'

const root = join(import.meta.dirname, '../../../../..')

/** Every source that the entry of the library loads, except types. */
function sourcesFrom(entry: string): Map<string, string> {
  const sources = new Map<string, string>()
  const visit = (file: string): void => {
    const name = relative(root, file)
    if (sources.has(name)) return
    const source = readFileSync(file, 'utf8')
    sources.set(name, source)
    // TypeScript removes imports of types.
    const { outputText } = ts.transpileModule(source, {
      compilerOptions: {
        module: ts.ModuleKind.ESNext,
        target: ts.ScriptTarget.ES2022,
        verbatimModuleSyntax: true,
      },
    })
    for (const [, path = ''] of outputText.matchAll(/(?:from|import\(?) ?['"](\.{1,2}\/[^'"]+)\.js['"]/g)) {
      const imported = `${resolve(dirname(file), path)}.ts`
      assert.ok(existsSync(imported), imported)
      visit(imported)
    }
  }
  visit(join(root, entry))
  return sources
}

/** Things of the process, which belong to the program that loads the library. */
const ofTheProcess =
  /\bprocess\.(exit\b|exitCode|abort|stdout|stderr|stdin|on\(|once\(|chdir|umask)|\bconsole\./

describe('the library', () => {
  const sources = sourcesFrom('workers/cameo.ts')

  it('does not end the process, write to its output or set signal handlers', () => {
    assert.ok(sources.size > 150)
    const found = [...sources].flatMap(([file, source]) =>
      source
        .split('\n')
        .flatMap((line, at) => (ofTheProcess.test(line) ? [`${file}:${at + 1}: ${line.trim()}`] : [])),
    )
    assert.deepEqual(found, [])
  })

  it('turns off the telemetry of ONNX Runtime before anything else is loaded', () => {
    const [first] = [...(sources.get('workers/cameo.ts') ?? '').matchAll(/^(?:import|export)[^;]*?'(.*)'$/gm)]
    assert.equal(first?.[1], '../pipeline/models/no-telemetry.js')
  })

  it('loads no Kafka client and no part of the command line', () => {
    assert.deepEqual(
      [...sources].filter(
        ([file, source]) => file.startsWith('scripts/') || /from '(kafkajs|commander)'/.test(source),
      ),
      [],
    )
  })
})
