import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import fs, {
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { dirname, join } from 'node:path'
import { describe, it, mock } from 'node:test'
import { CameoError } from '../../../../pipeline/common/errors.js'
import { createClipAccess } from '../../../../workers/remote-clips/clip-access.js'
import { temporaryDir } from '../../../support/cameo.js'

const dir = realpathSync(temporaryDir())
const root = join(dir, 'root')
const signal = new AbortController().signal
const access = createClipAccess({
  rules: { roots: [{ submitted: root, mounted: root }], hosts: new Set() },
  ...{ scratchDir: join(dir, 'scratch'), scratchBytes: 1000 },
})

/** Of equal length, so that only the content differs. */
const [allowed, forbidden] = ['allowed', 'SECRETS']
for (const [folder, content] of [
  [join(root, 'good'), allowed],
  [join(dir, 'secret'), forbidden],
] as const) {
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'a.mp4'), content)
}

/** All calls that inspect or open a path. */
const calls = [
  'existsSync',
  'lstatSync',
  'openSync',
  'readlinkSync',
  'realpathSync',
  'statSync',
  'symlinkSync',
] as const

/**
 * Runs work, and calls the disturbance before the calls for which `isDue` is true. Returns the number of
 * calls.
 */
async function disturbed(work: () => Promise<void>, isDue: (call: number) => boolean, disturb: () => void) {
  let count = 0
  let isDisturbing = false
  for (const name of calls) {
    const original = fs[name] as (...args: readonly unknown[]) => unknown
    const before = (...args: readonly unknown[]) => {
      // The disturbance makes such calls, too.
      if (!isDisturbing && isDue(++count)) {
        isDisturbing = true
        disturb()
        isDisturbing = false
      }
      return original(...args)
    }
    mock.method(fs, name, Object.assign(before, original))
  }
  syncBuiltinESMExports()
  try {
    await work()
  } finally {
    mock.restoreAll()
    syncBuiltinESMExports()
  }
  return count
}

/** A place below the root that leads to either file: a link to a file, or to its folder. */
interface Place {
  readonly path: string
  readonly link: string
  readonly targets: readonly [string, string]
}

const places: Record<string, Place> = {
  'the file': {
    path: join(root, 'link.mp4'),
    link: join(root, 'link.mp4'),
    targets: [join(root, 'good', 'a.mp4'), join(dir, 'secret', 'a.mp4')],
  },
  'a folder on the way': {
    path: join(root, 'folder', 'a.mp4'),
    link: join(root, 'folder'),
    targets: [join(root, 'good'), join(dir, 'secret')],
  },
}

describe('a path that is replaced while its clip is opened', () => {
  for (const [what, { path, link: at, targets }] of Object.entries(places))
    it(`${what} becomes a link out of the root at any moment: its target is never read`, async () => {
      const seen = new Set<string>()
      let turn = 0
      const exchange = (to = ++turn % 2) => {
        symlinkSync(targets[to] ?? assert.fail(), `${at}.new`)
        renameSync(`${at}.new`, at)
      }
      const openAndRead = async () => {
        const clip = await access.open(path, undefined, signal)
        // Readers open the path later, in this process and in another.
        for (let i = 0; i < 2; i++) {
          exchange()
          seen.add(readFileSync(clip.path, 'utf8'))
        }
        if (turn % 10 === 0) seen.add(execFileSync('cat', [clip.path], { encoding: 'utf8' }))
        clip.release()
        assert.equal(existsSync(dirname(clip.path)), false)
      }
      const attempt = (isDue: (call: number) => boolean) => {
        turn = 0
        exchange(0)
        return disturbed(
          () =>
            openAndRead().catch((error: unknown) => {
              assert.ok(error instanceof CameoError, String(error))
              seen.add(error.code)
            }),
          isDue,
          () => exchange(),
        )
      }
      const all = await attempt(() => false)
      assert.deepEqual([...seen], [allowed])
      for (let first = 1; first <= all; first++) {
        // Once, from then on again and again, and for the duration of one call.
        await attempt((call) => call === first)
        await attempt((call) => call >= first)
        await attempt((call) => call === first || call === first + 1)
      }
      assert.ok(seen.has('CLIP_NOT_ALLOWED') && !seen.has(forbidden), [...seen].join(', '))
    })
})
