#!/usr/bin/env node
// Turns a folder of labelled face photos (PERSON/*.jpg, the LFW layout) into a benchmark in the style of iQIYI-VID: short
// H.264 clips of known people in hard conditions, plus clips of strangers ("noise") that no ground-truth line names.
// Needs only Node >= 20, and ffmpeg on the PATH.
//
//   make-clips.mjs --images DIR --out DIR [--min-images 10] [--max-images 30] [--strangers 400] [--train-copies 3]
//                  [--scene-affinity 0.5] [--bystanders 0.2] [--hardness 1] [--seed 1] [--jobs 2] [--limit-people N]
//                  [--occluders alike|varied] [--extras 200]
//
// A clip shows one or two photos of its person (with a cut between them), each in its own conditions, sometimes with a
// stranger beside them. The photos of each person are split 40/30/30. Each val and test photo is in one clip. Train photos
// are used --train-copies times in different conditions and pairs. No photo is in two splits.
//   train_gt.txt   CLIP.mp4 ID                       one line per clip
//   val_gt.txt     ID CLIP.mp4 CLIP.mp4 ...          one line per person
//   test_gt.txt    ID CLIP.mp4 CLIP.mp4 ...          one line per person
//   identities.txt ID NAME
//   shows.txt      CLIP.mp4 NAME PHOTO ...           one line per clip, including strangers' clips, separated by tabs
// Half of the strangers' clips go to val, half to test. With probability --scene-affinity a clip's (blurred) background is
// one of three that belong to its person, as the sets of a programme do; otherwise it is a random one. One of three boxes
// hides a part of a face. With --occluders varied the box has any place, size, colour and texture. With --extras 0 no photos
// of other people are used as backgrounds: every face of a clip is then its person's face. The same arguments give the same
// clips. A folder that was made with other arguments is refused. An interrupted run continues.
/* global console, process */
import { execFile } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { basename, join } from 'node:path'
import { parseArgs, promisify } from 'node:util'

const run = promisify(execFile)
const { values: arg } = parseArgs({
  options: {
    images: { type: 'string' },
    out: { type: 'string' },
    'min-images': { type: 'string', default: '10' },
    'max-images': { type: 'string', default: '30' },
    strangers: { type: 'string', default: '400' },
    'train-copies': { type: 'string', default: '3' },
    'scene-affinity': { type: 'string', default: '0.5' },
    bystanders: { type: 'string', default: '0.2' },
    hardness: { type: 'string', default: '1' },
    seed: { type: 'string', default: '1' },
    'limit-people': { type: 'string', default: '1000000' },
    jobs: { type: 'string', default: '2' },
    occluders: { type: 'string', default: 'alike' },
    extras: { type: 'string', default: '200' },
  },
})
if (!arg.images || !arg.out) {
  console.error('usage: make-clips.mjs --images DIR --out DIR')
  process.exit(2)
}
if (!['alike', 'varied'].includes(arg.occluders)) {
  console.error('--occluders is alike or varied')
  process.exit(2)
}
const number = (key) => Number(arg[key])
const hardness = number('hardness'),
  seed = number('seed')

function rng(key) {
  // a small seeded generator (mulberry32 over an FNV-1a hash of the key)
  let h = 2166136261 ^ seed
  for (const c of key) {
    h ^= c.charCodeAt(0)
    h = Math.imul(h, 16777619)
  }
  return () => {
    h = (h + 0x6d2b79f5) | 0
    let t = Math.imul(h ^ (h >>> 15), 1 | h)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}
const shuffled = (list, random) => {
  const copy = [...list]
  for (let i = copy.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1))
    ;[copy[i], copy[j]] = [copy[j], copy[i]]
  }
  return copy
}
const pick = (list, random) => list[Math.floor(random() * list.length)]

const people = readdirSync(arg.images)
  .filter((d) => statSync(join(arg.images, d)).isDirectory())
  .sort()
  .map((name) => ({
    name,
    photos: readdirSync(join(arg.images, name))
      .filter((f) => /\.(jpe?g|png)$/i.test(f))
      .sort(),
  }))
const known = people.filter((p) => p.photos.length >= number('min-images')).slice(0, number('limit-people'))
const single = shuffled(
  people.filter((p) => p.photos.length === 1),
  rng('strangers'),
)
const photoOf = (p) => join(arg.images, p.name, p.photos[0])
const strangers = single.slice(0, number('strangers'))
const extras = single.slice(Math.max(0, single.length - number('extras'))).map(photoOf) // backdrops and bystanders

const W = 320,
  H = 240,
  FPS = 25
const lavfiColor = (r) =>
  `0x${Math.floor(r() * 0x1000000)
    .toString(16)
    .padStart(6, '0')}`
/** A random cover for part of a photo with this side length, px, anywhere near the face. */
function occluder(k, size, r) {
  const part = (low, high) => Math.max(4, Math.round(size * (low + (high - low) * r())))
  const [w, h] = [part(0.1, 0.4), part(0.08, 0.4)]
  const [x, y] = [part(0.25, 0.75) - Math.round(w / 2), part(0.25, 0.75) - Math.round(h / 2)]
  const source =
    r() < 0.4
      ? `gradients=s=${w}x${h}:c0=${lavfiColor(r)}:c1=${lavfiColor(r)}:n=2:seed=${Math.floor(r() * 1e6)}:d=0.04:r=25`
      : `color=c=${lavfiColor(r)}:s=${w}x${h}:d=0.04:r=25,noise=alls=${Math.round(r() * 80)}:all_seed=${Math.floor(r() * 1e6)}`
  return `[p${k}];${source}[o${k}];[p${k}][o${k}]overlay=x=${x}:y=${y}:eof_action=repeat`
}
/** The filter graph of one shot: inputs n (backdrop), n+1 (photo), n+2 (bystander, if any); label [s<k>]. */
function shot(k, n, r, bystander, ownHiding) {
  const u = (a, b) => a + (b - a) * r()
  const hard = Math.min(1, hardness * (0.25 + 0.75 * r())) // how hard this shot is, 0..1
  const size = Math.round(u(280 - 200 * hard, 320 - 200 * hard) / 2) * 2 // the photo's side in px; a face is about 0.4 of it
  const seconds = u(0.8, 1.6).toFixed(2)
  const angle = (u(-0.35, 0.35) * hard).toFixed(3),
    blur = (u(0, 2.4) * hard * (size / 250)).toFixed(2)
  const brightness = (u(-0.3, 0.22) * hard).toFixed(3),
    contrast = u(1 - 0.5 * hard, 1 + 0.4 * hard).toFixed(3)
  const gamma = u(1 - 0.45 * hard, 1 + 0.5 * hard).toFixed(3),
    saturation = u(1 - hard, 1).toFixed(3)
  const noise = Math.round(u(0, 26) * hard)
  const x0 = u(0, Math.max(0, W - size)),
    y0 = u(-0.1 * size, Math.max(0, H - size))
  const ax = u(0, 14),
    ay = u(0, 8),
    wave = `${u(0.3, 1.2).toFixed(2)}*2*PI*t`,
    turn = (u(0, 0.06) * hard).toFixed(3)
  const kind = r() // the kind of cover over part of the face in some shots
  const hide =
    arg.occluders === 'varied'
      ? kind < 0.22 * hardness
        ? occluder(k, size, ownHiding)
        : ''
      : kind < 0.1 * hardness
        ? ',drawbox=x=iw*0.3:y=ih*0.58:w=iw*0.4:h=ih*0.2:color=white:t=fill'
        : kind < 0.17 * hardness
          ? ',drawbox=x=iw*0.3:y=ih*0.4:w=iw*0.4:h=ih*0.09:color=black:t=fill'
          : kind < 0.22 * hardness
            ? ',drawbox=x=iw*0.5:y=ih*0.2:w=iw*0.3:h=ih*0.6:color=gray:t=fill'
            : ''
  const still = `loop=loop=-1:size=1,fps=${FPS},trim=duration=${seconds},setpts=PTS-STARTPTS`
  const side = Math.round(size * 0.28) * 2,
    sideX = x0 + size / 2 > W / 2 ? 0 : W - side // smaller, on the other side
  return (
    `[${n}:v]scale=24:18,scale=${W}:${H}:flags=bicubic,setsar=1,${still}[b${k}];` +
    (bystander
      ? `[${n + 2}:v]scale=${side}:${side},setsar=1,${still}[y${k}];[b${k}][y${k}]overlay=x=${sideX}:y=${H - side}:shortest=1[c${k}];`
      : `[b${k}]null[c${k}];`) +
    `[${n + 1}:v]scale=${size}:${size}${hide},setsar=1,eq=brightness=${brightness}:contrast=${contrast}:gamma=${gamma}:saturation=${saturation},` +
    `gblur=sigma=${blur},${still},format=rgba,rotate=a='${angle}+${turn}*sin(${wave})':c=none[f${k}];` +
    `[c${k}][f${k}]overlay=x='${x0.toFixed(1)}+${ax.toFixed(1)}*sin(${wave})':y='${y0.toFixed(1)}+${ay.toFixed(1)}*cos(${wave})':shortest=1` +
    `${noise ? `,noise=alls=${noise}:allf=t:all_seed=${seed}` : ''},format=yuv420p,setsar=1[s${k}];`
  )
}
function recipe({ person, photos, key }) {
  const r = rng(key),
    inputs = []
  let graph = ''
  const own = r() < number('scene-affinity') ? rng(`${person} set ${Math.floor(r() * 3)}`) : r
  const backdrop = pick(extras, own) ?? photos[0]
  photos.forEach((photo, k) => {
    const bystander = extras.length > 0 && r() < number('bystanders') ? pick(extras, r) : undefined
    const files = [backdrop, photo, ...(bystander ? [bystander] : [])],
      n = inputs.length / 2
    files.forEach((file) => inputs.push('-i', file))
    graph += shot(k, n, r, bystander, rng(`${key} hidden ${k}`))
  })
  graph += `${photos.map((_, k) => `[s${k}]`).join('')}concat=n=${photos.length}[v]`
  const crf = Math.round(22 + r() * (2 + 18 * hardness * r()))
  return [
    '-y',
    '-v',
    'error',
    ...inputs,
    '-filter_complex',
    graph,
    '-map',
    '[v]',
    '-c:v',
    'libx264',
    '-preset',
    'veryfast',
    '-threads',
    '1',
    '-crf',
    String(crf),
  ]
}

const clips = [],
  train = [],
  val = [],
  test = [],
  identities = []
const counter = { TRAIN: 0, VAL: 0, TEST: 0 }
const nextName = (split) => `CLIP_${split}_${String(++counter[split]).padStart(7, '0')}.mp4`
/** Splits photos into clips with one or two photos each. */
function inClips(photos, random) {
  const groups = []
  for (let i = 0; i < photos.length;) {
    const n = random() < 0.5 && i + 1 < photos.length ? 2 : 1
    groups.push(photos.slice(i, i + n))
    i += n
  }
  return groups
}
known.forEach((person, index) => {
  const id = index + 1,
    random = rng(person.name)
  identities.push(`${id} ${person.name}`)
  const photos = shuffled(person.photos, random).slice(0, number('max-images'))
  const nTrain = Math.max(1, Math.round(photos.length * 0.4)),
    nVal = Math.max(1, Math.round(photos.length * 0.3))
  const splits = {
    TRAIN: photos.slice(0, nTrain),
    VAL: photos.slice(nTrain, nTrain + nVal),
    TEST: photos.slice(nTrain + nVal),
  }
  const rows = { TRAIN: [], VAL: [], TEST: [] }
  for (const [split, own] of Object.entries(splits))
    for (let copy = 0; copy < (split === 'TRAIN' ? number('train-copies') : 1); copy++)
      for (const group of inClips(shuffled(own, random), random)) {
        const clip = nextName(split)
        clips.push({
          clip,
          person: person.name,
          photos: group.map((f) => join(arg.images, person.name, f)),
          key: `${group.join()}#${copy}`,
        })
        rows[split].push(clip)
      }
  for (const clip of rows.TRAIN) train.push(`${clip} ${id}`)
  if (rows.VAL.length) val.push([id, ...rows.VAL].join(' '))
  if (rows.TEST.length) test.push([id, ...rows.TEST].join(' '))
})
strangers.forEach((person, i) =>
  clips.push({
    clip: nextName(i % 2 ? 'VAL' : 'TEST'),
    person: person.name,
    photos: [photoOf(person)],
    key: `${person.name}#0`,
  }),
)

mkdirSync(join(arg.out, 'clips'), { recursive: true })
// Newer options count only if they are not the default, so that older folders stay valid.
const unstamped = ['jobs', 'out', 'images']
if (arg.occluders === 'alike') unstamped.push('occluders')
if (arg.extras === '200') unstamped.push('extras')
const settings = Object.fromEntries(Object.entries(arg).filter(([key]) => !unstamped.includes(key)))
const stamp = JSON.stringify({ ...settings, people: known.length, clips: clips.length }),
  stampFile = join(arg.out, 'arguments.json')
if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') !== stamp) {
  console.error(`${arg.out} was made with other arguments; choose another folder`)
  process.exit(1)
}
writeFileSync(stampFile, stamp)
for (const [file, rows] of Object.entries({
  'train_gt.txt': train,
  'val_gt.txt': val,
  'test_gt.txt': test,
  'identities.txt': identities,
  'shows.txt': clips.map(({ clip, person, photos }) =>
    [clip, person, ...photos.map((p) => basename(p))].join('\t'),
  ),
}))
  writeFileSync(join(arg.out, file), rows.join('\n') + '\n')
console.error(`${known.length} people, ${strangers.length} strangers, ${clips.length} clips`)

let next = 0,
  done = 0
async function worker() {
  while (next < clips.length) {
    const clip = clips[next++],
      file = join(arg.out, 'clips', clip.clip),
      part = join(arg.out, `part-${clip.clip}`)
    if (!existsSync(file)) {
      await run('ffmpeg', [...recipe(clip), part])
      renameSync(part, file)
    }
    if (++done % 250 === 0) console.error(`${done}/${clips.length}`)
  }
}
await Promise.all(Array.from({ length: number('jobs') }, worker))
