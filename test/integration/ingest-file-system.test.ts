import assert from 'node:assert/strict'
import {
  appendFileSync,
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  realpathSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { before, describe, it } from 'node:test'
import { assertFailed, assertRefused, ingest, ingested, search, foundFiles } from '../support/answers.js'
import { cameo, temporaryDir } from '../support/cameo.js'
import { makeFaceClip, makeFacePhoto } from '../support/faces.js'
import { permissionsCount } from '../support/restricted.js'

const dir = realpathSync(temporaryDir())
const good = join(dir, 'good.mp4')
const other = join(dir, 'other.mp4')

function folderOf(name: string): string {
  const folder = join(dir, name)
  mkdirSync(folder)
  return folder
}

async function failedFiles(archive: string): Promise<number> {
  const status = await cameo(['status', '--archive', archive, '--json'])
  return (JSON.parse(status.stdout) as { failed: number }).failed
}

describe('ingest: the file system', () => {
  before(async () => {
    await makeFaceClip(good, 'costumes right')
    await makeFaceClip(other, 'party first')
  })

  it('an unreadable file and an unreadable folder fail as CLIP_UNREADABLE, and the rest continues', async () => {
    const folder = folderOf('permissions')
    const archive = join(dir, 'permissions-archive')
    mkdirSync(join(folder, 'closed folder'))
    copyFileSync(good, join(folder, 'closed folder/inside.mp4'))
    for (const name of ['a.mp4', 'closed.mp4', 'z.mp4'])
      copyFileSync(name === 'z.mp4' ? other : good, join(folder, name))
    appendFileSync(join(folder, 'closed.mp4'), 'another content')
    chmodSync(join(folder, 'closed.mp4'), 0)
    chmodSync(join(folder, 'closed folder'), 0)
    const run = await ingest([folder, '--archive', archive], permissionsCount())
    chmodSync(join(folder, 'closed folder'), 0o700)
    assert.equal(run.code, 1, run.stderr)
    assertFailed(run.of('closed.mp4'), 'CLIP_UNREADABLE')
    assertFailed(run.of('closed folder'), 'CLIP_UNREADABLE')
    assert.deepEqual([run.of('a.mp4').status, run.of('z.mp4').status], ['done', 'done'])

    chmodSync(join(folder, 'closed.mp4'), 0o600)
    const again = await ingest([folder, '--archive', archive], permissionsCount())
    assert.equal(again.code, 0, 'is ingested after permission is given')
    assert.equal(again.of('closed.mp4').status, 'done')
    assert.equal(await failedFiles(archive), 0)
  })

  it('a known clip on a temporarily unmounted share stays: it is found meanwhile, and unchanged when the share is back', async () => {
    const folder = folderOf('share-links')
    const archive = join(dir, 'share-archive')
    copyFileSync(good, join(folderOf('share'), 'a.mp4'))
    symlinkSync(join(dir, 'share/a.mp4'), join(folder, 'a.mp4'))
    copyFileSync(other, join(folder, 'b.mp4'))
    assert.equal((await ingest([folder, '--archive', archive])).code, 0)
    const photo = await makeFacePhoto(join(dir, 'share.jpg'), 'costumes right')
    const found = async () => foundFiles(await search(['--image', photo, '--archive', archive]))
    assert.deepEqual(await found(), ['a.mp4'])

    renameSync(join(dir, 'share'), join(dir, 'unmounted'))
    const away = await ingest([folder, '--archive', archive])
    assert.equal(away.code, 1)
    assertFailed(away.of('a.mp4'), 'CLIP_GONE')
    assert.equal(away.of('b.mp4').status, 'unchanged')
    assert.equal(await failedFiles(archive), 1)
    assert.deepEqual(await found(), ['a.mp4'])

    renameSync(join(dir, 'unmounted'), join(dir, 'share'))
    const back = await ingest([folder, '--archive', archive])
    assert.equal(back.of('a.mp4').status, 'unchanged')
    assert.equal(await failedFiles(archive), 0)
  })

  it('loops of links end, each folder is searched once, and a link to itself fails alone', async () => {
    const folder = folderOf('links')
    mkdirSync(join(folder, 'deep/deeper'), { recursive: true })
    copyFileSync(good, join(folder, 'deep/a.mp4'))
    copyFileSync(other, join(dir, 'outside.mp4'))
    symlinkSync('..', join(folder, 'deep/up'))
    symlinkSync(folder, join(folder, 'deep/deeper/top'))
    symlinkSync('self.mp4', join(folder, 'self.mp4'))
    symlinkSync('second.mp4', join(folder, 'first.mp4'))
    symlinkSync('first.mp4', join(folder, 'second.mp4'))
    symlinkSync('nowhere.mp4', join(folder, 'dangling.mp4'))
    symlinkSync('nothing', join(folder, 'no video'))
    symlinkSync(join(dir, 'outside.mp4'), join(folder, 'linked.mp4'))
    const run = await ingest([folder, '--archive', join(dir, 'links-archive')])
    assert.equal(run.code, 1)
    for (const name of ['self.mp4', 'first.mp4', 'second.mp4', 'dangling.mp4'])
      assertFailed(run.of(name), 'CLIP_GONE')
    assert.match(run.of('self.mp4').message ?? '', /points to itself/)
    assert.deepEqual([run.of('a.mp4').status, run.of('linked.mp4').status], ['done', 'done'])
    assert.equal(run.lines.filter(({ status }) => status !== 'skipped').length, 6)
  })

  it('any name that is valid text works, and a search returns it unchanged', async () => {
    const folder = folderOf('names')
    const names = [
      'two words.mp4',
      `quotes ' " \`.mp4`,
      'line\nbreak.mp4',
      'a:b.mp4',
      'http:x.mp4',
      '-dash.mp4',
      'per%03dcent %d.mp4',
      'ünïcödé 視頻 🎬.mp4',
      'brackets [0:v], semi;colon.mp4',
      'back\\slash.mp4',
    ]
    // Each ends with its own box "free", so that it is another clip.
    for (const [number, name] of names.entries()) {
      copyFileSync(good, join(folder, name))
      appendFileSync(join(folder, name), Buffer.from([0, 0, 0, 9, 0x66, 0x72, 0x65, 0x65, number]))
    }
    const run = await ingest([folder, '--archive', join(dir, 'names-archive')])
    assert.equal(run.code, 0, run.stderr)
    for (const name of names) assert.equal(run.of(name).status, 'done', name)
    const photo = await makeFacePhoto(join(dir, 'names.jpg'), 'costumes right')
    const answer = await search(['--image', photo, '--archive', join(dir, 'names-archive')])
    assert.deepEqual(foundFiles(answer).sort(), [...names].sort())
  })

  it('accepts a name with a leading dash as a path', async () => {
    const folder = folderOf('dash')
    copyFileSync(good, join(folder, '-dash.mp4'))
    const args = ['ingest', '--archive', join(dir, 'dash-archive'), '--json', '--', '-dash.mp4']
    const run = ingested(await cameo(args, {}, ['env', '-C', folder]))
    assert.equal(run.code, 0, run.stderr)
    assert.deepEqual(
      [run.of('-dash.mp4').status, run.of('-dash.mp4').path],
      ['done', join(folder, '-dash.mp4')],
    )
  })

  it('refuses a name that is not valid UTF-8 and shows it escaped, and the rest continues', async () => {
    const folder = folderOf('bytes')
    const latin1 = Buffer.concat([Buffer.from(join(folder, 'caf')), Buffer.from([0xe9]), Buffer.from('.mp4')])
    copyFileSync(good, latin1)
    const closedFolder = Buffer.concat([Buffer.from(join(folder, 'fold')), Buffer.from([0xff])])
    mkdirSync(closedFolder)
    copyFileSync(good, Buffer.concat([closedFolder, Buffer.from('/inside.mp4')]))
    writeFileSync(
      Buffer.concat([Buffer.from(join(folder, 'r')), Buffer.from([0xe9]), Buffer.from('.txt')]),
      'no video',
    )
    copyFileSync(other, join(folder, 'z.mp4'))
    const archive = join(dir, 'bytes-archive')
    // A file that is given beside its folder is reported once.
    const run = await ingest([folder, join(folder, 'z.mp4'), '--archive', archive])
    assert.equal(run.code, 1)
    assert.equal(run.lines.filter(({ path }) => path.endsWith('z.mp4')).length, 1)
    assert.equal(run.of('r\\xe9.txt').status, 'skipped')
    assertFailed(run.of('caf\\xe9.mp4'), 'CLIP_NAME_UNSUPPORTED')
    assertFailed(run.of('fold\\xff'), 'CLIP_NAME_UNSUPPORTED')
    assert.equal(run.of('z.mp4').status, 'done')
    assert.equal(await failedFiles(archive), 2, 'remembers them, although these escaped names do not exist')
  })

  it('each wrong path fails alone, with its own reason, and the rest continues', async () => {
    const folder = folderOf('given')
    const archive = join(dir, 'given-archive')
    const at = (name: string) => join(folder, name)
    copyFileSync(good, at('a:b.mp4'))
    symlinkSync('nowhere.mp4', at('dangling.mp4'))
    mkdirSync(at('closed'))
    copyFileSync(other, at('closed/inside.mp4'))
    chmodSync(at('closed'), 0)
    const latin1 = Buffer.concat([Buffer.from(at('caf')), Buffer.from([0xe9]), Buffer.from('.mp4')])
    copyFileSync(other, latin1)
    // As a shell passes them; Node itself passes only text to a child.
    const withBytes = ['bash', '-c', 'exec "$@" "$0"/$\'caf\\xe9.mp4\'', folder]
    const paths = ['gone.mp4', 'a:b.mp4', 'dangling.mp4', 'closed', 'closed/inside.mp4'].map(at)
    const run = await ingest([...paths, '--archive', archive], [...permissionsCount(), ...withBytes])
    chmodSync(at('closed'), 0o700)
    assert.equal(run.code, 1, run.stderr)
    assert.equal(run.of('a:b.mp4').status, 'done')
    assertFailed(run.of('gone.mp4'), 'CLIP_GONE')
    assertFailed(run.of('dangling.mp4'), 'CLIP_GONE')
    assert.match(run.of('dangling.mp4').message ?? '', /broken link/)
    assertFailed(run.of('closed'), 'CLIP_UNREADABLE')
    assertFailed(run.of('inside.mp4'), 'CLIP_UNREADABLE')
    assertFailed(run.of('caf\\ufffd.mp4'), 'CLIP_NAME_UNSUPPORTED')
    assert.equal(await failedFiles(archive), 4, 'does not remember a path that never existed')
  })

  it('does not run if none of the paths exists', async () => {
    const archive = join(dir, 'nothing-archive')
    const none = [join(dir, 'none 1.mp4'), join(good, 'below a file')]
    const run = await cameo(['ingest', ...none, '--archive', archive, '--json'])
    assertRefused(run, 'USAGE', ...none)
    assert.equal(existsSync(archive), false)
  })
})
