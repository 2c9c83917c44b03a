import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { anchorsOf, commandsOf, proseOf, readBlocks } from '../support/docs/markdown.js'

describe('the marks of blocks', () => {
  it('a block has the mark of the comment above it; other comments are not marks', () => {
    const text =
      '<!-- needs docker -->\n\n```sh\na\n```\n\n<!-- a note -->\n\n```sh\nb\n```\n\n<!-- run: kafka -->\ntext\n\n```sh\nc\n```\n'
    assert.deepEqual(
      readBlocks(text).map(({ mark, line }) => ({ mark, line })),
      [
        { mark: { kind: 'needs', what: 'docker' }, line: 3 },
        { mark: undefined, line: 9 },
        { mark: undefined, line: 16 },
      ],
    )
  })

  it('refuses an unknown need, and a block without an end', () => {
    assert.throws(() => readBlocks('<!-- needs luck -->\n\n```sh\na\n```\n'), /"needs luck" is not a mark/)
    assert.throws(
      () => readBlocks('<!-- tested by: hand -->\n\n```sh\na\n```\n'),
      /"tested by: hand" is not a mark/,
    )
    assert.throws(() => readBlocks('```sh\na\n'), /line 1: the block has no end/)
  })

  it('joins commands over several lines, without comments', () => {
    const [block] = readBlocks('```sh\n# first\na \\\n  b   # second\n\nc "#1"\n```\n')
    assert.ok(block)
    assert.deepEqual(commandsOf(block), ['a b', 'c "#1"'])
  })

  it('prose excludes blocks, and anchors are the same as on GitHub', () => {
    const text = '# A, b & `c`\n\n```sh\n# no heading\n```\n\n## A, b & c\n'
    assert.equal(proseOf(text).includes('no heading'), false)
    assert.deepEqual([...anchorsOf(text)], ['a-b--c', 'a-b--c-1'])
  })
})
