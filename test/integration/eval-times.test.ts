import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, describe, it } from 'node:test'
import { findPack } from '../../pipeline/models/packs/catalog.js'
import { cameo, temporaryDir } from '../support/cameo.js'
import { makeFaceClip, makeFacePhoto } from '../support/faces.js'

const dir = temporaryDir()
const archive = join(dir, 'archive')
const queries = join(dir, 'people')
const truth = join(dir, 'appearances.csv')

const times = (...more: readonly string[]) =>
  cameo(['eval', 'times', '--archive', archive, '--truth', truth, ...more])

describe('eval times', () => {
  before(async () => {
    mkdirSync(join(dir, 'clips'))
    mkdirSync(queries)
    // Each face for half of its clip.
    const seconds = 4
    await makeFaceClip(join(dir, 'clips', 'film.mp4'), 'costumes right', { seconds, then: ['sofa left'] })
    await makeFacePhoto(join(queries, 'Ada.jpg'), 'costumes right')
    await makeFacePhoto(join(queries, 'Bo.jpg'), 'sofa left')
    const run = await cameo(['ingest', join(dir, 'clips'), '--archive', archive])
    assert.equal(run.code, 0, run.stderr)
  })

  it('measures a film with known people, by photos', async () => {
    writeFileSync(truth, 'film,person,start_s,end_s\nfilm.mp4,Ada,0,2\nfilm.mp4,Bo,2,4\n')
    const run = await times('--queries', queries, '--json')
    assert.equal(run.code, 0, run.stderr)
    const { perPair, refused, ...measured } = JSON.parse(run.stdout) as Record<string, unknown[]>
    assert.deepEqual(measured, {
      ...{ threshold: findPack('lite').calibration?.threshold, thresholdReason: 'models' },
      ...{ recall: 1, precision: 1, f1: 1, pairs: 2, found: 2, wrong: 0 },
      ...{ missingFilms: [], purity: 1, splits: 1, tracks: 2 },
    })
    assert.equal(perPair?.length, 2)
    assert.deepEqual(refused, [])
  })

  it('reports people it could not search for, missing films, and people found against the truth', async () => {
    writeFileSync(truth, 'film,person,start_s,end_s\nfilm.mp4,Ada,0,2\nfilm.mp4,Cy,0,2\nother.mp4,Ada,0,2\n')
    const run = await times('--queries', queries)
    assert.equal(run.code, 0, run.stderr)
    assert.match(run.stderr, /not in the archive: other\.mp4/)
    assert.match(run.stderr, /Cy: there is no photo Cy\.jpg/)
    // Bo has a photo, and by this truth the film does not show him.
    assert.match(run.stdout, /1 of 3 people of a film found, 1 wrongly/)
  })

  it('refuses a list of other films, and a file that is not a list', async () => {
    writeFileSync(truth, 'film,person,start_s,end_s\nother.mp4,Ada,0,2\n')
    const other = await times('--queries', queries)
    assert.deepEqual([other.code, /none of the films is in the archive/.test(other.stderr)], [2, true])
    writeFileSync(truth, 'Dear Ada,\nsee you.\n')
    assert.equal((await times('--queries', queries)).code, 2)
  })
})
