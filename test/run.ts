// Runs groups of tests, several files in parallel: node dist/test/run.js unit integration kafka
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { availableParallelism, tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { run } from 'node:test'
import { spec } from 'node:test/reporters'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { fileSeconds } from './file-seconds.js'

const compiled = fileURLToPath(new URL('.', import.meta.url))
const kafkaScript = fileURLToPath(new URL('../../scripts/kafka.sh', import.meta.url))

const isKafka = (file: string) => /integration\/kafka-/.test(file)
const isHttp = (file: string) => /integration\/http-/.test(file)
const groups: Readonly<Record<string, () => string[]>> = {
  kafka: () => testFiles('integration').filter(isKafka),
  http: () => testFiles('integration').filter(isHttp),
  integration: () => testFiles('integration').filter((file) => !isKafka(file) && !isHttp(file)),
  unit: () => inParts(testFiles('unit')),
  data: () => testFiles('data'),
}

function testFiles(folder: string): string[] {
  return readdirSync(join(compiled, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.test.js'))
    .map((file) => join(compiled, folder, file))
}

/** A long file that starts last would run alone. The sizes of sources order the files that take about as long. */
function longestFirst(files: readonly string[]): string[] {
  const seconds = (file: string) =>
    file.startsWith(join(compiled, 'integration')) ? (fileSeconds[basename(file, '.test.js')] ?? 0) : 0
  return [...files].sort((a, b) => seconds(b) - seconds(a) || statSync(b).size - statSync(a).size)
}

/** Several for each core: they do not take equally long. */
const unitParts = 4 * availableParallelism()

/**
 * Files that import the unit tests. A process for each test file would take most of its time to load the same modules.
 * The tests of one process follow each other; their root has no hooks before or after each test.
 */
function inParts(tests: readonly string[]): string[] {
  const dir = join(compiled, 'parts')
  rmSync(dir, { recursive: true, force: true })
  mkdirSync(dir)
  const files = longestFirst(tests)
  return Array.from({ length: unitParts }, (_, part) => {
    const path = join(dir, `unit-${part + 1}.test.js`)
    const own = files.filter((_, k) => k % unitParts === part)
    // Not one after the other: the tests of one file would wait for the modules of the next.
    writeFileSync(path, own.map((file) => `import '${pathToFileURL(file).href}'\n`).join(''))
    return path
  })
}

async function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().on('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })
}

/** One broker for all files that do not need their own. It ends with this process at the latest. */
async function startSharedBroker(): Promise<() => void> {
  const dir = mkdtempSync(join(tmpdir(), 'cameo-test-broker-'))
  const brokers = `127.0.0.1:${await freePort()}`
  const env = {
    ...process.env,
    KAFKA_BROKERS: brokers,
    CAMEO_KAFKA_DIR: join(dir, 'kafka'),
    CAMEO_KAFKA_WITH: `${process.pid}`,
  }
  execFileSync(kafkaScript, ['start'], { env, stdio: ['ignore', 'ignore', 'inherit'] })
  process.env['KAFKA_BROKERS'] = brokers
  return () => {
    execFileSync(kafkaScript, ['stop'], { env, stdio: 'ignore' })
    rmSync(dir, { recursive: true, force: true })
  }
}

const wanted = process.argv.slice(2)
const unknown = wanted.filter((name) => !Object.hasOwn(groups, name))
if (wanted.length === 0 || unknown.length > 0) {
  process.stderr.write(`usage: run.js ${Object.keys(groups).join(' | ')} …\n`)
  process.exit(2)
}

const { KAFKA_BROKERS } = process.env
const needsBroker = wanted.includes('kafka')
const stopBroker = needsBroker && (KAFKA_BROKERS ?? '') === '' ? await startSharedBroker() : () => undefined

const files = Object.entries(groups).flatMap(([name, find]) => (wanted.includes(name) ? find() : []))
// Most tests also wait: for timers, brokers, processes and the disk. Those on real data only compute.
const waits = wanted.some((name) => name !== 'data')
const concurrency = availableParallelism() + (waits ? 1 : 0)
run({ files: longestFirst(files), concurrency, timeout: 1_800_000 })
  .on('test:fail', () => (process.exitCode = 1))
  .once('end', stopBroker)
  .pipe(new spec())
  .pipe(process.stdout)
