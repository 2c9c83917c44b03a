import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { MediaFacts } from '../../../../../pipeline/decode/media-facts.js'
import { playingOf } from '../../../../../workers/http/media/playable.js'

const mp4: MediaFacts = {
  ...{ container: 'mp4', videoCodec: 'h264', pixelFormat: 'yuv420p', audioCodec: 'aac', durationS: 9 },
}
const playing = (facts: Partial<MediaFacts>) => {
  const found = playingOf({ ...mp4, ...facts })
  return found.kind === 'direct' ? found.mime : found.copiesVideo ? 'copied' : 'encoded'
}

describe('how a browser sees a file', () => {
  it('plays usual MP4 and WebM files as they are, with or without sound', () => {
    assert.equal(playing({}), 'video/mp4')
    assert.equal(playing({ audioCodec: undefined }), 'video/mp4')
    assert.equal(playing({ container: 'webm', videoCodec: 'vp9', audioCodec: 'opus' }), 'video/webm')
    assert.equal(playing({ container: 'webm', videoCodec: 'av1', pixelFormat: 'yuv420p10le', audioCodec: undefined }), 'video/webm') // prettier-ignore
  })

  it('copies H.264 out of other containers, and where only the sound is unknown', () => {
    for (const container of ['matroska', 'quicktime', 'flv'] as const)
      assert.equal(playing({ container }), 'copied')
    assert.equal(playing({ audioCodec: 'ac3' }), 'copied')
  })

  it('encodes other codecs, other pixels, and containers without times anew', () => {
    for (const videoCodec of ['hevc', 'prores', 'mpeg4', 'vp9', 'unknown'])
      assert.equal(playing({ container: 'quicktime', videoCodec }), 'encoded')
    for (const pixelFormat of ['yuv422p', 'yuv420p10le', 'yuv444p', undefined])
      assert.equal(playing({ pixelFormat }), 'encoded')
    assert.equal(playing({ container: 'other' }), 'encoded')
    assert.equal(playing({ container: 'webm' }), 'encoded')
  })
})
