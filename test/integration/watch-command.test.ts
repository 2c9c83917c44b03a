/** `cameo ingest --watch` as a process: the block of docs/guide.md, signals and kills. */
import assert from 'node:assert/strict'
import { copyFileSync, mkdirSync, readFileSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import { before, describe, it } from 'node:test'
import { ingest } from '../support/answers.js'
import { startReceiver } from '../support/alert-receiver.js'
import { cameo, jsonLines, startCameo, temporaryDir } from '../support/cameo.js'
import { commandsOf, readBlocks, repository, wordsOf } from '../support/docs/markdown.js'
import { makeFaceClip, makeFacePhoto } from '../support/faces.js'

const dir = realpathSync(temporaryDir())
const at = (...names: string[]) => join(dir, ...names)
const folder = at('archive')
const here = ['--archive', at('cameo-data')]
const quickly = ['--stable', '0.5', '--rescan', '1', '--threads', '1']

/** The arguments of the guide's command, for the folder of this test. */
function commandOfGuide(): string[] {
  const file = 'docs/guide.md'
  const blocks = readBlocks(readFileSync(join(repository, file), 'utf8'))
  const own = blocks.filter(
    ({ mark }) => mark?.kind === 'tested' && mark.by === 'test/integration/watch-command.test.ts',
  )
  const [command, ...more] = own.flatMap(commandsOf)
  assert.deepEqual(more, [])
  const [npx, name, ...args] = wordsOf(command ?? '')
  assert.deepEqual([npx, name], ['npx', 'cameo'])
  return args.map((word) => (word === '~/archive' ? folder : word))
}

const watch = (...args: readonly string[]) =>
  startCameo(['ingest', '--watch', folder, ...quickly, ...here, ...args])

before(async () => {
  mkdirSync(folder)
  await makeFaceClip(at('archive', 'first.mp4'), 'bar middle')
  await makeFacePhoto(at('ada.jpg'), 'costumes right')
  assert.equal((await ingest([folder, ...here])).code, 0)
  assert.equal((await cameo(['enroll', 'Ada Lovelace', at('ada.jpg'), ...here])).code, 0)
})

describe('cameo ingest --watch', { timeout: 10 * 60_000 }, () => {
  it('as the guide has it: tells of new clips and of who is in them, and ends by Ctrl-C with code 130', async () => {
    const running = startCameo([...commandOfGuide(), ...quickly, ...here])
    await running.until(() => running.stderrNow().includes('watching'))
    await makeFaceClip(at('archive', 'interview.mp4'), 'costumes right')
    await running.until(() => running.stdoutNow().includes('appears in'))
    running.kill('SIGINT')
    const { code, stdout, stderr } = await running.finished
    assert.equal(code, 130, stderr)
    const [done, alert, ...more] = stdout.trim().split('\n')
    assert.match(done ?? '', /^done {6}\/.*\/interview\.mp4: 1 track$/)
    assert.match(
      alert ?? '',
      /^Ada Lovelace appears in \/.*\/interview\.mp4 at 0:00\.0–0:01\.\d \(0\.\d{3}\)$/,
    )
    assert.deepEqual(more, [])
    assert.match(stderr, /1 file in the folders had been ingested before/)
  })

  it('with --json gives one object per event, and ends by SIGTERM', async () => {
    const running = watch('--json', '--alert-all')
    await makeFaceClip(at('archive', 'more.mp4'), 'costumes right', { variant: 1 })
    await running.until(() => jsonLines(running.stdoutNow()).length >= 2)
    running.kill('SIGTERM')
    const { code, stdout } = await running.finished
    assert.equal(code, 130)
    const [result, alert] = jsonLines(stdout)
    assert.deepEqual([result?.['status'], alert?.['alert']], ['done', 'Ada Lovelace'])
    assert.equal(result?.['clipId'], alert?.['clipId'])
  })

  it('has lost nothing that it told when it is killed, and tells it no second time', async () => {
    const running = watch('--alert-all')
    for (const variant of [2, 3, 4]) await makeFaceClip(at('archive', `killed ${variant}.mp4`), 'costumes right', { variant }) // prettier-ignore
    const told = () => running.stdoutNow().split('\n').filter((line) => line.startsWith('done')).length // prettier-ignore
    await running.until(() => told() >= 2)
    running.kill('SIGKILL')
    await running.finished
    const again = await ingest([folder, ...here])
    const unchanged = [2, 3, 4].filter((variant) => again.of(`killed ${variant}.mp4`).status === 'unchanged')
    assert.ok(unchanged.length >= 2, again.stderr)
    const rest = await cameo(['ingest', folder, ...here, '--alert-all', '--json'])
    const first = running.stdoutNow().split('\n').filter((line) => line.includes('appears in')).length // prettier-ignore
    const later = jsonLines(rest.stdout).filter((line) => 'alert' in line).length
    // The last of them may be told again, and is told at least once.
    assert.ok(first + later >= unchanged.length && first + later <= 4, `${first} and ${later}`)
  })

  it('posts alerts to the address in the environment, shows its host and no more, and not without --alert', async () => {
    const receiver = await startReceiver([200])
    const environment = { CAMEO_ALERT_WEBHOOK: `${receiver.url}/hidden`, CAMEO_ALERT_SECRET: 'key' }
    await makeFaceClip(at('archive', 'posted.mp4'), 'costumes right', { variant: 5 })
    const posting = await startCameo(['ingest', folder, ...here, '--alert-all'], environment).finished
    assert.equal(posting.code, 0, posting.stderr)
    assert.match(posting.stderr, /alerts are posted to 127\.0\.0\.1:\d+: names, clips and times only/)
    assert.doesNotMatch(posting.stderr, /hidden/)
    assert.equal(receiver.requests.length, 1)
    assert.match(String(receiver.requests[0]?.headers['x-cameo-signature']), /^sha256=[0-9a-f]{64}$/)
    await makeFaceClip(at('archive', 'not posted.mp4'), 'costumes right', { variant: 6 })
    const quiet = await startCameo(['ingest', folder, ...here], environment).finished
    assert.equal(quiet.code, 0, quiet.stderr)
    assert.equal(receiver.requests.length, 1)
    await receiver.close()
  })

  it('refuses files, folders that never were, and what cannot be combined', async () => {
    copyFileSync(at('ada.jpg'), at('file'))
    for (const args of [
      ['--watch', at('file')],
      ['--watch', at('none')],
      ['--watch', '--repair'],
      ['--watch'],
      [folder, '--alert', 'A', '--alert-all'],
      [folder, '--alert', 'A', '--alert-webhook', 'http://hooks.example/x'],
      [folder, '--alert-webhook', 'https://hooks.example/x'],
    ])
      assert.equal((await cameo(['ingest', ...args, '--archive', at('new')])).code, 2, args.join(' '))
  })
})
