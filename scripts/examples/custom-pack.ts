/**
 * Describes your own model files as a pack, and ingests with them.
 *
 *     node custom-pack.js MODELS CLIPS ARCHIVE
 *
 * MODELS is a folder with the files of the pack `lite`. Replace them by your own, and describe their inputs
 * below.
 */
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { openCameo, parsePack, type Pack } from 'cameo'

const [folder = './models', clips = './clips', archive = './cameo-data'] = process.argv.slice(2)

/** A file is identified by its content: another file with the same name is refused. */
const file = (name: string) => ({
  name,
  sha256: createHash('sha256')
    .update(readFileSync(join(folder, name)))
    .digest('hex'),
})

const pack: Pack = {
  name: 'my-models',
  licence: 'MIT',
  source: { kind: 'folder', folder: resolve(folder) },
  detector: {
    decoder: 'ultraface',
    file: file('fr_detect.onnx'),
    input: { widthPx: 320, heightPx: 240, channelOrder: 'rgb', mean: 127, scale: 128 },
    ...{ minScore: 0.5, highScore: 0.7, minFacePx: 16, maxFacePx: 240 },
  },
  // A detector that gives landmarks itself (`scrfd`, `yunet`) needs none.
  landmarker: {
    decoder: 'points68',
    file: file('fr_landmark.onnx'),
    input: { widthPx: 64, heightPx: 64, channelOrder: 'grey', mean: 0, scale: 256 },
  },
  embedder: {
    file: file('fr_feature.onnx'),
    input: { widthPx: 112, heightPx: 112, channelOrder: 'bgr', mean: 127.5, scale: 127.5 },
    dimension: 512,
  },
}

const json = 'my-models.json'
writeFileSync(json, JSON.stringify(parsePack(pack, json), null, 2))

// The archive remembers the JSON file: it is needed wherever the archive is searched.
const cameo = await openCameo({ archive, pack: resolve(json) })
await cameo.pullModels()
const { results } = await cameo.ingest(clips)
const { recipe } = await cameo.status()
console.log(`${results.done ?? 0} clips ingested with ${recipe?.packName ?? 'no models'}`)
await cameo.close()
