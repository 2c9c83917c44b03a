import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isUrl, pathBelow, wholePath } from '../../../../index/store/whole-path.js'

describe('the path from a root to a folder', () => {
  for (const [root, folder, expected] of [
    ['/films', '/films', ''],
    ['/films', '/films/2024/may', '2024/may'],
    ['/films', '/filmstrips', undefined],
    ['/films/2024', '/films', undefined],
    ['/films', '/films/..odd', '..odd'],
    ['https://host/films', 'https://host/films/', ''],
    ['https://host/films/', 'https://host/films/2024', '2024'],
    ['https://host/films', 'https://host/filmstrips', undefined],
    ['/films', 'https://host/films', undefined],
  ] as const)
    it(`from ${root} to ${folder} is ${expected ?? 'none'}`, () =>
      assert.equal(pathBelow(root, folder), expected))
})

describe('the path of a file', () => {
  it('below a URL keeps the two slashes of the scheme', () =>
    assert.equal(wholePath('https://host/films/', 'a b.mp4'), 'https://host/films/a b.mp4'))
  it('below the root of the file system begins with one slash', () =>
    assert.equal(wholePath('/', 'films/a.mp4'), '/films/a.mp4'))
})

it('a Windows drive is not a URL', () => {
  assert.equal(isUrl('C:/films'), false)
  assert.equal(isUrl('s3://bucket/films'), true)
})
