import { chmodSync, copyFileSync, cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { demoPhotosDir, photos, type FaceName } from '../../../scripts/demo/demo-photos.js'
import { defaultModelsDir } from '../../../pipeline/models/packs/models-dir.js'
import { temporaryDir } from '../cameo.js'
import { writeTwinEmbedder } from '../encoders.js'
import { makeFaceClip, makeFacePhoto } from '../faces.js'
import { writeLabelledFeatures } from '../labelled-features.js'
import { onnxFile } from '../onnx.js'

const command = fileURLToPath(new URL('../../../scripts/cameo.js', import.meta.url))
const repository = fileURLToPath(new URL('../../../../', import.meta.url))

/** A home folder as the documents assume it: clips and photos have the names in the documents' commands. */
export interface DocsHome {
  readonly home: string
  /** The working folder of the commands: the documents' current folder. */
  readonly cwd: string
  readonly environment: NodeJS.ProcessEnv
  /** Variables of this document alone. */
  readonly settings: NodeJS.ProcessEnv
}

/** Which faces show which people. Ada is in two of the photos. */
const ada = { first: 'costumes right', second: 'bar middle' } as const satisfies Record<string, FaceName>
const labelled = ['sofa left', 'sofa right', 'party second', 'window third'] as const satisfies FaceName[]

/** Makes the clips, photos and lists for all documents. Each document gets a copy. */
export async function makeHome(): Promise<string> {
  const home = temporaryDir()
  const at = (...names: string[]) => join(home, ...names)
  for (const folder of [
    'archive',
    'labelled',
    'cameo/photos/Ada',
    'cameo/photos/Bo',
    'cameo/others',
    'bin',
    'tmp',
  ])
    mkdirSync(at(folder), { recursive: true })
  await makeClips(at)
  await makePhotos(at)
  writeShims(at('bin'))
  symlinkSync(join(repository, 'scripts'), at('cameo', 'scripts'))
  writeLists(at)
  writeModels(at('cameo'))
  return home
}

type At = (...names: string[]) => string

async function makeClips(at: At): Promise<void> {
  const seconds = 2
  await Promise.all([
    makeFaceClip(at('archive', 'interview.mp4'), ada.first, { seconds: 3 }),
    makeFaceClip(at('archive', 'party.mp4'), ada.second, { seconds: 4, then: ['party second'] }),
    makeFaceClip(at('archive', 'garden.mp4'), 'window third', { seconds }),
    makeFaceClip(at('cameo', 'other.mp4'), ada.first, { seconds, variant: 1 }),
    makeFaceClip(at('cameo', 'ada2.mp4'), ada.second, { seconds, variant: 2 }),
  ])
  for (const [person, face] of labelled.entries())
    await Promise.all(
      ['TRAIN', 'TRAIN', 'VAL', 'TEST'].map((half, k) =>
        makeFaceClip(at('labelled', clipName(half, person, k)), face, { seconds: 1, variant: 10 + k }),
      ),
    )
}

/** The name of clip `k` of a person in a half of the set. */
const clipName = (half: string, person: number, k: number) =>
  `CLIP_${half}_000${half === 'TRAIN' ? 2 * person + k + 1 : person + 1}.mp4`

async function makePhotos(at: At): Promise<void> {
  copyFileSync(join(demoPhotosDir(), photos.costumes.file), at('cameo', 'group.jpg'))
  await Promise.all([
    makeFacePhoto(at('cameo', 'face.jpg'), ada.first),
    makeFacePhoto(at('cameo', 'ada1.jpg'), ada.first),
    makeFacePhoto(at('cameo', 'photos', 'Ada', 'Ada_0001.jpg'), ada.first),
    makeFacePhoto(at('cameo', 'photos', 'Ada', 'Ada_0002.jpg'), ada.second),
    makeFacePhoto(at('cameo', 'photos', 'Bo', 'Bo_0001.jpg'), 'party second'),
    makeFacePhoto(at('cameo', 'others', 'other.jpg'), 'sofa middle'),
  ])
  copyFileSync(at('cameo/photos/Bo/Bo_0001.jpg'), at('cameo/photos/Bo/Bo_0002.jpg'))
  mkdirSync(at('cameo/people'))
  copyFileSync(at('cameo/ada1.jpg'), at('cameo/people/Ada.jpg'))
  copyFileSync(at('cameo/photos/Bo/Bo_0001.jpg'), at('cameo/people/Bo.jpg'))
}

/** `npx cameo` starts the command of this build. */
function writeShims(bin: string): void {
  const script = `#!/bin/sh\nif [ "$1" != cameo ]; then echo "npx $1 is not tried" >&2; exit 127; fi\nshift\nexec "${process.execPath}" "${command}" "$@"\n`
  writeFileSync(join(bin, 'npx'), script)
  chmodSync(join(bin, 'npx'), 0o755)
}

function writeLists(at: At): void {
  const write = (name: string, lines: readonly string[]) =>
    writeFileSync(at('cameo', name), `${lines.join('\n')}\n`)
  const people = [...labelled.keys()]
  write('train_gt.txt', people.flatMap((person) => [0, 1].map((k) => `${clipName('TRAIN', person, k)} ${person + 1}`))) // prettier-ignore
  for (const half of ['VAL', 'TEST'])
    write(`${half.toLowerCase()}_gt.txt`, people.map((person) => `${person + 1} ${clipName(half, person, 0)}`)) // prettier-ignore
  write('appearances.csv', ['film,person,start_s,end_s', 'party.mp4,Ada,0,2', 'party.mp4,Bo,2,4'])
  write('pairs.txt', ['2 1', 'Ada 1 2', 'Ada 1 Bo 2', 'Bo 1 2', 'Ada 2 Bo 1'])
  write('media.txt', ['Ada/Ada_0001.jpg 1 1', 'Ada/Ada_0002.jpg 2 2', 'Bo/Bo_0001.jpg 3 3'])
  write('template_pairs.txt', ['1 2 1', '1 3 0'])
  mkdirSync(at('cameo', 'iqiyi'))
  writeLabelledFeatures(at('cameo', 'iqiyi'), 6)
}

/** An embedder and an image encoder of the kinds and sizes in the documents' JSON files. */
function writeModels(dir: string): void {
  const twin = writeTwinEmbedder(dir)
  writeFileSync(
    join(dir, 'mobilefacenet.json'),
    readFileSync(twin, 'utf8').replace('"twin"', '"mobilefacenet"'),
  )
  const channels = 512
  writeFileSync(
    join(dir, 'squeezenet_fp16.onnx'),
    onnxFile({
      inputDims: [1, 3, 224, 224],
      outputDims: [1, channels],
      nodes: [
        { opType: 'GlobalAveragePool', inputs: ['x'], output: 'mean' },
        { opType: 'Conv', inputs: ['mean', 'w'], output: 'fire9/concat_2' },
        { opType: 'Flatten', inputs: ['fire9/concat_2'], output: 'scores' },
      ],
      ...{ vectors: {}, vectorsAs: 'initializers' as const },
      weights: {
        w: { dims: [channels, 3, 1, 1], values: Array.from({ length: channels * 3 }, (_, i) => Math.sin(i)) },
      },
    }),
  )
}

/** A copy for one document, which may write to it. */
export function copyOfHome(template: string, settings: NodeJS.ProcessEnv = {}): DocsHome {
  const home = temporaryDir()
  cpSync(template, home, { recursive: true, verbatimSymlinks: true })
  const inherited = Object.entries(process.env).filter(([name]) => !/^(CAMEO|KAFKA|XDG)_/.test(name))
  const environment = {
    ...Object.fromEntries(inherited),
    ...{
      HOME: home,
      TMPDIR: join(home, 'tmp'),
      CAMEO_MODELS: defaultModelsDir(),
      PATH: `${join(home, 'bin')}:${process.env['PATH']}`,
    },
    ...settings,
  }
  return { home, cwd: join(home, 'cameo'), environment, settings }
}
