import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { fileURLToPath } from 'node:url'
import { clipLink } from '../../../../scripts/reports/clip-link.js'
import { contactSheet, type SheetMatch } from '../../../../scripts/reports/contact-sheet.js'

const match = (path: string, isMissing = false): SheetMatch => ({
  ...{ clipId: 'a'.repeat(64), path, score: 0.7, durationS: 3, thumbnailJpeg: undefined },
  ...{ ranges: [{ startS: 0, endS: 2, trackId: 1, score: 0.7 }], faces: [], isMissing, notes: [] },
  ...{ probability: undefined, isWeak: false },
})

describe('the link of a clip', () => {
  it('leads to the file, whatever its name', () => {
    for (const path of [
      '/clips/two words.mp4',
      '/clips/#1?.mp4',
      '/clips/100%25 sure.mp4',
      '/clips/back\\slash.mp4',
      '/clips/Zo\u00eb \u202e\n\u001b.mp4',
      '/clips/"quoted" <b>.mp4',
    ]) {
      const link = clipLink(path) ?? ''
      assert.match(link, /^file:\/\/\/clips\/[!$&'()*+,./:;=@\w~%-]+$/)
      assert.equal(fileURLToPath(link), path)
    }
  })

  it('works on Windows for a Windows path', () => {
    assert.equal(clipLink('C:\\clips\\a #1.mp4'), 'file:///C:/clips/a%20%231.mp4')
    assert.equal(clipLink('\\\\server\\share\\a.mp4'), 'file://server/share/a.mp4')
  })

  it('is the address of a web clip', () => {
    assert.equal(clipLink('https://example.org/a%20b.mp4?v=1#t'), 'https://example.org/a%20b.mp4?v=1#t')
    assert.equal(
      clipLink('http://example.org/two words "x".mp4'),
      'http://example.org/two%20words%20%22x%22.mp4',
    )
  })

  it('is left out if a browser cannot open it, or if it would show a secret or run a script', () => {
    for (const path of [
      ...['s3://bucket/a.mp4', 'ftp://example.org/a.mp4', 'javascript://x/%0aalert(1)', 'http://'],
      ...['https://ada:secret@example.org/a.mp4', 'clips/relative.mp4', '/clips/lost \udce9.mp4'],
    ])
      assert.equal(clipLink(path), undefined, path)
  })
})

describe('the contact sheet', () => {
  it('shows a missing file without a link, and the notes of each clip', () => {
    const notes = ['a <part> of it was not looked at']
    const page = contactSheet('Ada', undefined, [{ ...match('/clips/gone.mp4', true), notes }], 'one\ntwo')
    assert.match(page, /<b title="was \/clips\/gone\.mp4">1\. <bdi>gone\.mp4<\/bdi> \(missing\)<\/b>/)
    assert.match(page, /<small class="note">a &lt;part&gt; of it was not looked at<\/small>/)
    assert.match(page, /<p>one<\/p><p>two<\/p>/)
    assert.ok(!page.includes('href'))
  })

  it('shows the probability of each clip, and marks weak ones', () => {
    const likely = { ...match('/clips/a.mp4'), probability: 0.9742 }
    const ranges = [{ startS: 0, endS: 2, trackId: 1, score: 0.3, weak: true as const }]
    const weak = { ...match('/clips/b.mp4'), score: 0.3, ranges, probability: 2e-5, isWeak: true }
    const page = contactSheet('Ada', undefined, [likely, weak], 'one')
    assert.match(page, /<li class="match">[^]*score 0\.700 · 97\.4 % · 0:00\.0–0:02\.0</)
    assert.match(page, /<li class="weak">[^]*weak, score 0\.300 · &lt; 0\.1 % · 0:00\.0–0:02\.0 \(weak\)</)
  })

  it('escapes characters that would break or reorder the page, also in names of clips without a link', () => {
    const hostile = '/clips/<b>\u0007\u001b[2J\u202e"\u2028.mp4'
    const page = contactSheet(hostile, undefined, [match(hostile), match('s3://bucket/key.mp4')], 'one & all')
    assert.ok(!/[\p{Cf}\p{Zl}\p{Zp}]|(?!\n)\p{Cc}/u.test(page))
    assert.ok(!page.includes('<b>') && page.includes('&lt;b&gt;') && page.includes('one &amp; all'))
    const links = [...page.matchAll(/href="([^"]*)"/g)].map(([, href]) => href)
    assert.deepEqual(links, ['file:///clips/%3Cb%3E%07%1B%5B2J%E2%80%AE%22%E2%80%A8.mp4'])
    assert.match(page, /<span class="clip" title="s3:\/\/bucket\/key\.mp4">2\. <bdi>key\.mp4<\/bdi><\/span>/)
  })
})
