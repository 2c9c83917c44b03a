/**
 * One contestant in its own process. Receives clips from its parent, processes them on one thread, and
 * reports the time.
 */
import { pathToFileURL } from 'node:url'
import { findFaces } from '../../../pipeline/faces/analyse-frame.js'
import { openFrames } from '../../../pipeline/decode/frames.js'
import type { DecodedFrame } from '../../../pipeline/decode/decode-request.js'
import { defaultPackName, findPack } from '../../../pipeline/models/packs/catalog.js'
import { defaultModelsDir } from '../../../pipeline/models/packs/models-dir.js'
import { processClip } from '../../../pipeline/segments/process-clip.js'
import { SegmentBuilder } from '../../../pipeline/segments/segment-builder.js'
import { defaultSettings } from '../../../pipeline/recipe/recipe.js'
import { loadStages, type Stages } from '../../../pipeline/stages/load-pipeline.js'
import { loadHuman } from './human-engine.js'
import type { HumanReply, HumanRequest, HumanTurn } from './human-turns.js'
import { cpuOf, ownCpuS } from '../measure.js'
import { detectionRule, wholeClip } from '../stages.js'

/** How a contestant processes a clip. Returns the number of frames, faces and embeddings. */
interface Contestant {
  /** From decoded frames. */
  analyse(frames: readonly DecodedFrame[]): Promise<Counts>
  /** From the file. */
  process(path: string): Promise<Counts>
}

type Counts = Pick<HumanTurn, 'frames' | 'faces' | 'embedded'>

function createCameo(stages: Stages): Contestant {
  const { minFacePx } = stages.settings
  let embedded = 0
  const counting: Stages = {
    ...stages,
    embedder: {
      ...stages.embedder,
      embed(crop) {
        embedded++
        return stages.embedder.embed(crop)
      },
    },
  }
  const taken = () => {
    const count = embedded
    embedded = 0
    return count
  }
  return {
    async analyse(frames) {
      const builder = new SegmentBuilder(counting, { widthPx: 0, heightPx: 0, sourcePxPerPx: 1, turns: 0 })
      for (const frame of frames) await builder.addFrame(frame, await findFaces(frame, stages, minFacePx))
      const output = await builder.finish({ index: 0, startS: 0, endS: Infinity }, false)
      return { frames: output.frames, faces: output.faces, embedded: taken() }
    },
    async process(path) {
      let frames = 0
      let faces = 0
      for await (const output of processClip(wholeClip(path), counting)) {
        frames += output.frames
        faces += output.faces
      }
      return { frames, faces, embedded: taken() }
    },
  }
}

async function createHuman(stages: Stages, folder: string): Promise<Contestant> {
  const engine = await loadHuman(pathToFileURL(`${folder}/package.json`))
  async function look(frames: AsyncIterable<DecodedFrame> | Iterable<DecodedFrame>): Promise<Counts> {
    const counts = { frames: 0, faces: 0, embedded: 0 }
    for await (const { full } of frames) {
      const { faces, embedded } = await engine.detect(full)
      counts.frames++
      counts.faces += faces
      counts.embedded += embedded
    }
    return counts
  }
  return { analyse: look, process: (path) => look(decode(path, stages)) }
}

/** The frames that Cameo samples. */
function decode(path: string, stages: Stages): AsyncIterable<DecodedFrame> {
  const { sampling } = stages.settings
  return openFrames({
    ...{ path, sampling, startS: 0, endS: Infinity, seek: 'fast' },
    detection: detectionRule(stages),
  }).frames
}

async function decodeToMemory(path: string, stages: Stages): Promise<DecodedFrame[]> {
  const kept: DecodedFrame[] = []
  for await (const { timeS, full, detection } of decode(path, stages)) {
    const image = { ...full, data: full.data.slice() }
    kept.push({
      timeS,
      full: image,
      detection: detection === full ? image : { ...detection, data: detection.data.slice() },
    })
  }
  return kept
}

async function take(
  contestant: Contestant,
  { clips, from }: HumanRequest,
  stages: Stages,
): Promise<HumanTurn> {
  const ready = from === 'frames' ? await Promise.all(clips.map((path) => decodeToMemory(path, stages))) : []
  const total = { frames: 0, faces: 0, embedded: 0 }
  const cpuS = () => ownCpuS() + (cpuOf('self')?.endedChildrenS ?? 0)
  const [startMs, startCpuS] = [performance.now(), cpuS()]
  for (const [i, path] of clips.entries()) {
    const frames = ready[i]
    const counts = frames === undefined ? await contestant.process(path) : await contestant.analyse(frames)
    total.frames += counts.frames
    total.faces += counts.faces
    total.embedded += counts.embedded
  }
  return { ...total, wallS: (performance.now() - startMs) / 1000, cpuS: cpuS() - startCpuS }
}

const [name, humanFolder = ''] = process.argv.slice(2)
const stages = await loadStages({
  pack: findPack(defaultPackName),
  modelsDir: defaultModelsDir(),
  settings: defaultSettings,
  device: { kind: 'cpu' },
})
const contestant = name === 'human' ? await createHuman(stages, humanFolder) : createCameo(stages)
const reply = (message: HumanReply) => process.send?.(message)
process.on('message', (request: HumanRequest) => {
  take(contestant, request, stages).then(
    (turn) => reply({ kind: 'turn', turn }),
    (error: unknown) =>
      reply({ kind: 'failed', message: error instanceof Error ? error.message : String(error) }),
  )
})
reply({ kind: 'ready' })
