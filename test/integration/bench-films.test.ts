import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readdirSync, statSync, unlinkSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { claimFolder, makeFilms } from '../../scripts/bench/films/make.js'
import { createReel, type Join, type Place } from '../../scripts/bench/films/plan.js'
import { temporaryDir } from '../support/cameo.js'

const size = { widthPx: 192, heightPx: 108 }
const picture = (person: string, colour: string) => ({
  person,
  input: ['-f', 'lavfi', '-t', '2', '-i', `color=${colour}:size=48x48:rate=30`],
  isWide: person === 'wide',
})

/** Every place and every join: 5 shots of 1 s, of which transitions take 3 × 0.4 s. */
function everything() {
  const reel = createReel()
  const shots: readonly (readonly [Place, Join])[] = [
    ['full', 'cut'],
    ['boxed', 'cut'],
    ['backdrop', 'dissolve'],
    ['split', 'fadeblack'],
    ['inset', 'wipeleft'],
  ]
  for (const [place, join] of shots) {
    const [one, other] = [picture('Ada', 'red'), picture('wide', 'blue')]
    const takes = place === 'split' || place === 'inset' ? ([one, other] as const) : ([one] as const)
    reel.add({ place, takes, lengthS: 1, join }, 0.4, 1 / 2)
  }
  return { name: 'film-000-mixed-mixed.mp4', backdropColour: '0x405060', shots: reel.shots }
}

const lengthOf = (file: string) =>
  Number(
    execFileSync('ffprobe', [
      ...['-v', 'error', '-show_entries', 'format=duration', '-of', 'csv=p=0', file],
    ]).toString(),
  )

describe('films of a plan', () => {
  const dir = temporaryDir()
  const query = { person: 'Ada', from: ['-f', 'lavfi', '-i', 'color=red:size=48x48'] }

  it('have the planned length, for all places and joins', async () => {
    const { films, queries } = await makeFilms(dir, [everything()], [query], size)
    assert.equal(films.length, 1)
    assert.equal(lengthOf(films[0] ?? ''), 5 - 3 * 0.4)
    assert.deepEqual(readdirSync(queries), ['Ada.jpg'])
  })

  it('are created once: a second run creates only missing ones', async () => {
    const film = join(dir, 'films', 'film-000-mixed-mixed.mp4')
    const madeAt = statSync(film).mtimeMs
    unlinkSync(join(dir, 'queries', 'Ada.jpg'))
    await makeFilms(dir, [everything()], [query], size)
    assert.equal(statSync(film).mtimeMs, madeAt)
    assert.deepEqual(readdirSync(join(dir, 'queries')), ['Ada.jpg'])
  })

  it('are not mixed with films of other sources', () => {
    claimFolder(dir, ['Ada'])
    claimFolder(dir, ['Ada'])
    assert.throws(() => claimFolder(dir, ['Bo']), /holds films of other sources/)
  })
})
