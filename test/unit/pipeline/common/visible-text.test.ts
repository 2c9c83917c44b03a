import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { html } from '../../../../index/evaluate/report/markup.js'
import { clipName, quoted } from '../../../../pipeline/common/display-name.js'
import { CameoError, messageOf } from '../../../../pipeline/common/errors.js'
import {
  oneLine,
  unseenAsJson,
  visibleInPage,
  visibleJson,
  visibleLines,
} from '../../../../pipeline/common/visible-text.js'

/** One or more characters of every kind that a terminal obeys or that are invisible. */
const unseen = [
  ...['\u0000', '\u0007', '\n', '\r', '\u001b', '\u007f', '\u0085', '\u009b', '\u009f'],
  ...['\u00ad', '\u061c', '\u180e', '\u200b', '\u200c', '\u200d', '\u200e', '\u200f'],
  ...['\u2028', '\u2029', '\u202a', '\u202e', '\u2060', '\u2066', '\u2069', '\ufeff', '\ufff9'],
  ...['\u{1bca0}', '\u{1d173}', '\u{e0001}', '\u{e0041}', '\u{e007f}', '\ud83d', '\udc00'],
]
const isSeen = (text: string) => !/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u.test(text)

describe('text from outside', () => {
  it('shows on one line every character that a terminal obeys or that is invisible', () => {
    for (const character of unseen) {
      const shown = oneLine(`a${character}b`)
      assert.match(shown, /^a\\(x[0-9a-f]{2}|u[0-9a-f]{4}|u\{[0-9a-f]{5}\})b$/)
      assert.ok(isSeen(shown), JSON.stringify(shown))
    }
    assert.equal(oneLine('a\u001b[2J\u202eb\u{e0041}'), 'a\\x1b[2J\\u202eb\\u{e0041}')
  })

  it('leaves names as people write them', () => {
    for (const name of [
      ...['Zoë', 'Zoe\u0308', '山田太郎', 'محمد', 'דוד', "O'Neil \\ 1", '100 % #1?'],
      '👩‍👩‍👧‍👦', // joined emoji
      '👩🏽‍🚒 🏳️‍🌈 👩‍❤️‍👩',
      'می‌خواهم', // Persian with a non-joiner
      'क्‍ष', // Devanagari with a joiner
    ])
      assert.equal(oneLine(name), name)
    assert.equal(oneLine('a\u200db'), 'a\\u200db', 'a joiner between Latin letters is not spelling')
  })

  it('keeps line breaks and tabs in text of several lines', () => {
    assert.equal(visibleLines('1:\ta\n2: \u001b[2J\r\u2028'), '1:\ta\n2: \\x1b[2J\\x0d\\u2028')
  })

  it('has the same data as JSON, without any character that a terminal obeys', () => {
    const value = { path: unseen.join('x') }
    const line = visibleJson(value)
    assert.ok(isSeen(line), line)
    assert.deepEqual(JSON.parse(line), value)
    assert.equal(unseenAsJson('{"a":"\u009b\u{e0041}"}\n'), '{"a":"\\u009b\\udb40\\udc41"}\n')
  })

  it('is plain text in a page', () => {
    for (const character of unseen)
      if (character !== '\n') assert.equal(visibleInPage(`a${character}b`), 'a\uFFFDb')
    const value = '<b>\u202e\u2066\u2028&"\n👩‍🚒'
    assert.equal(
      html`<i title="${value}"></i>`.text,
      '<i title="&lt;b&gt;\uFFFD\uFFFD\uFFFD&amp;&quot;\n👩‍🚒"></i>',
    )
  })

  it('is quoted as in JSON', () => {
    assert.equal(quoted('say "x" \\ \u001b\u200f'), '"say \\"x\\" \\\\ \\u001b\\u200f"')
    assert.equal(clipName('/clips/a\nb\u2028.mp4'), '"a\\nb\\u2028.mp4"')
  })

  it('puts errors of other libraries on one line, and keeps our own as they were written', () => {
    assert.equal(
      messageOf(new Error("ENOENT: no such file, open 'a\u001b'\n  and more\n")),
      "ENOENT: no such file, open 'a\\x1b' and more",
    )
    assert.equal(messageOf(new CameoError('USAGE', 'faces:\n  1: left')), 'faces:\n  1: left')
  })
})
