import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, describe, it } from 'node:test'
import { promisify } from 'node:util'
import { z } from 'zod'
import { temporaryDir } from '../support/cameo.js'
import { makeFaceClip, makeFacePhoto } from '../support/faces.js'

const root = join(import.meta.dirname, '../../..')
const dir = realpathSync(temporaryDir())
const source = join(dir, 'source')
const app = join(dir, 'app')
const guide = readFileSync(join(root, 'docs/library.md'), 'utf8')
const tool = (name: string) => join(root, 'node_modules/.bin', name)

/** The blocks of the guide that are marked with a language. */
const blocksOf = (language: string) =>
  [...guide.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'gm'))].map(
    ([, text = '']) => text,
  )

/** The environment of a shell outside this package, without the variables that npm sets for scripts. */
const outside = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name)))

async function shell(command: string, cwd: string, environment: NodeJS.ProcessEnv = {}) {
  const env = { ...outside, ...environment }
  return promisify(execFile)('bash', ['-c', command], { cwd, env, maxBuffer: 64 << 20 })
}

/**
 * Native modules are compiled, as on a machine without prebuilt ones, but without optimisation: the test
 * searches only two tracks.
 */
const quickly = { npm_config_build_from_source: 'true', CFLAGS: '-O0', CXXFLAGS: '-O0', JOBS: '2' }

const program = `
import { CameoError, openCameo, type ClipEvent, type SearchResult } from 'cameo'

const [clips = '', photo = ''] = process.argv.slice(2)
const cameo = await openCameo({ archive: './data', device: 'cpu', threads: 1 })
const kinds = new Set<ClipEvent['kind']>()
const { results } = await cameo.ingest(clips, { onEvent: ({ kind }) => kinds.add(kind) })
const { matches }: SearchResult = await cameo.search({ image: photo })
const code = await cameo.search({ name: 'Bo' }).catch((error) => (error instanceof CameoError ? error.code : 'other'))
const { ok } = await cameo.doctor()
await cameo.close()
const scores: readonly number[] = matches.map(({ score }) => score)
console.log(JSON.stringify({ results, hits: scores.length, code, ok, telemetryIsOff: process.env['ORT_DISABLE_TELEMETRY'] }))
`

describe('the package', { timeout: 20 * 60_000 }, () => {
  before(() => {
    mkdirSync(source)
    mkdirSync(app)
    for (const part of [
      'package.json',
      'tsconfig.json',
      'pipeline',
      'index',
      'workers',
      'scripts',
      'docs',
      'README.md',
      'LICENSE',
      'CHANGELOG.md',
      'dist',
    ])
      // prettier-ignore
      cpSync(join(root, part), join(source, part), { recursive: true })
    symlinkSync(join(root, 'node_modules'), join(source, 'node_modules'))
    writeFileSync(join(app, 'package.json'), '{ "name": "app", "private": true, "type": "module" }')
  })

  it('is packed without tests and data, from the build of the set-up', async () => {
    // "npm pack" would build it a second time, by the same command.
    const { scripts } = z
      .object({ scripts: z.object({ prepack: z.string() }) })
      .parse(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')))
    assert.equal(scripts.prepack, 'npm run --silent build')
    assert.match(readFileSync(join(root, 'scripts/setup.sh'), 'utf8'), /^ {2}npm run --silent build$/m)
    const { stdout } = await shell(`npm pack --ignore-scripts --json --pack-destination ${app}`, source)
    const [packed] = z
      .tuple([z.object({ files: z.array(z.object({ path: z.string() })) })])
      .parse(JSON.parse(stdout))
    const paths = packed.files.map(({ path }) => path)
    for (const path of ['dist/workers/cameo.d.ts', 'dist/index/vectors/sign-codes/kernels.wasm'])
      assert.ok(paths.includes(path), path)
    assert.deepEqual(
      paths.filter((path) =>
        /^dist\/scripts\/(bench|demo|calibration)|^(dist\/)?(test|shared)\/|\.map$/.test(path),
      ),
      [],
    )
  })

  it('passes publint and "are the types wrong", as an ES module', async () => {
    await shell(`${tool('publint')} run --strict cameo-0.1.0.tgz`, app)
    await shell(`${tool('attw')} --profile esm-only --no-emoji cameo-0.1.0.tgz`, app)
  })

  it('installs into an empty project with the line of the guide, with every install script approved', async () => {
    const [line = ''] = blocksOf('bash')
    await shell(line, app, { ...quickly, npm_config_strict_allow_scripts: 'true', npm_config_audit: 'false' })
    assert.match((await shell('npx --no-install cameo --help', app)).stdout, /^Usage: cameo /)
  })

  it('has a command that runs there', async () => {
    const status = shell('npx --no-install cameo status --archive ./none', app)
    await assert.rejects(status, { code: 2, stderr: /\[ARCHIVE_MISSING\]/ })
  })

  it('has declarations that work in strict programs: one of this test, and those of the guide', async () => {
    const guided = blocksOf('ts')
    assert.ok(guided.length >= 4)
    for (const [k, block] of guided.entries()) writeFileSync(join(app, `guide-${k}.ts`), block)
    writeFileSync(join(app, 'main.ts'), program)
    const strict = [
      'strict',
      'noUncheckedIndexedAccess',
      'exactOptionalPropertyTypes',
      'verbatimModuleSyntax',
    ]
    const options = strict.map((name) => `--${name}`).join(' ')
    await shell(`${tool('tsc')} ${options} --skipLibCheck false --module nodenext --target es2022 *.ts`, app)
  })

  it('runs there: it ingests, searches, and prints nothing itself', async () => {
    const clips = join(dir, 'clips')
    mkdirSync(clips)
    await makeFaceClip(join(clips, 'a.mp4'), 'costumes right')
    const photo = await makeFacePhoto(join(dir, 'query.jpg'), 'bar middle')
    const { stdout, stderr } = await shell(`node main.js ${clips} ${photo}`, app)
    assert.equal(stderr, '')
    const told: unknown = JSON.parse(stdout)
    assert.deepEqual(told, {
      results: { done: 1 },
      hits: 1,
      code: 'NAME_UNKNOWN',
      ok: true,
      telemetryIsOff: '1',
    })
  })
})
