import assert from 'node:assert/strict'
import { describe, it, mock } from 'node:test'
import { note, print, printJson, reportError } from '../../../../scripts/cli/output.js'
import { startProgress } from '../../../../scripts/cli/progress.js'

/** What `work` writes to standard output and standard error. */
function written(work: () => void): string {
  const texts: string[] = []
  const keep = (text: string | Uint8Array) => texts.push(String(text)) > 0
  const mocks = [process.stdout, process.stderr].map((stream) => mock.method(stream, 'write', keep))
  try {
    work()
  } finally {
    for (const { mock: each } of mocks) each.restore()
  }
  return texts.join('')
}

const hostile = 'a\u001b[2J\u009b\u202e\u2066\u2028\u200f\ufeff\u{e0041}.mp4'

describe('what a command shows', () => {
  it('contains no control characters, whoever wrote it', () => {
    const text = written(() => {
      print(`wrote ${hostile}`)
      note(`fetching ${hostile}`)
      printJson({ path: hostile })
      reportError(new Error(hostile), true)
      startProgress('{name}', 0).update(1, 2, { name: hostile })
    })
    assert.ok(text.split('\n').length > 6)
    assert.ok(!/[\p{Cf}\p{Zl}\p{Zp}]|(?!\n)\p{Cc}/u.test(text), JSON.stringify(text))
  })

  it('is exact data with --json', () => {
    const line = written(() => printJson({ path: hostile }))
    assert.deepEqual(JSON.parse(line), { path: hostile })
  })
})
