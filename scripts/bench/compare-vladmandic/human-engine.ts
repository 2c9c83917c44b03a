/**
 * Runs `@vladmandic/human` as its documentation says for Node without TensorFlow's native library: SIMD
 * WebAssembly.
 */
import { execFile } from 'node:child_process'
import { createReadStream, existsSync, mkdirSync } from 'node:fs'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { z } from 'zod'
import { CameoError } from '../../../pipeline/common/errors.js'
import type { RgbImage } from '../../../pipeline/data/image.js'

export interface HumanEngine {
  /** Number of detected faces, and how many of them got an embedding. */
  detect(image: RgbImage): Promise<{ readonly faces: number; readonly embedded: number }>
}

/** The used part of the package. Its own types need half of TensorFlow. */
interface HumanApi {
  readonly tf: {
    getBackend(): string
    tensor(values: Uint8Array, shape: readonly number[], type: 'float32'): { dispose(): void }
  }
  readonly env: { readonly wasm: { readonly simd?: boolean } }
  init(): Promise<void>
  load(): Promise<void>
  detect(input: object): Promise<{
    readonly error: string | null
    readonly face: readonly { readonly embedding?: readonly number[] }[]
  }>
}

const moduleSchema = z.object({
  Human: z.custom<new (config: object) => HumanApi>((value) => typeof value === 'function'),
})

/** The package's version and the three packages that its WebAssembly build needs. */
const packages = [
  '@vladmandic/human@3.3.6',
  ...['core', 'converter', 'backend-wasm'].map((part) => `@tensorflow/tfjs-${part}@4.22.0`),
]

/** Installs the packages into their own folder, unless they are there. Nothing else needs them. */
export async function installHuman(folder: string): Promise<void> {
  if (existsSync(join(folder, 'node_modules/@vladmandic/human'))) return
  mkdirSync(folder, { recursive: true })
  const quiet = ['--no-save', '--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error']
  await promisify(execFile)('npm', ['install', '--prefix', folder, ...quiet, ...packages])
}

/** @param from a file beside the node_modules folder that holds the packages */
export async function loadHuman(from: URL): Promise<HumanEngine> {
  const { require, distDir, wasmDir } = locate(from)
  const { Human } = moduleSchema.parse(require(join(distDir, 'human.node-wasm.js')))
  const models = await serveFolder(join(distDir, '../models'))
  try {
    const human = new Human(configuration(models.url, wasmDir))
    await human.init()
    await human.load()
    if (human.tf.getBackend() !== 'wasm' || human.env.wasm.simd !== true)
      throw new Error(`human runs on ${human.tf.getBackend()} without SIMD: the comparison would not be fair`)
    return {
      async detect({ width, height, data }) {
        const tensor = human.tf.tensor(data, [1, height, width, 3], 'float32')
        try {
          const { error, face } = await human.detect(tensor)
          if (error !== null) throw new Error(`human failed: ${error}`)
          return { faces: face.length, embedded: face.filter(({ embedding }) => embedding?.length).length }
        } finally {
          tensor.dispose()
        }
      },
    }
  } finally {
    models.close()
  }
}

function locate(from: URL) {
  const require = createRequire(from)
  try {
    return {
      require,
      // The package's `exports` name only its main file.
      distDir: dirname(require.resolve('@vladmandic/human')),
      wasmDir: join(dirname(require.resolve('@tensorflow/tfjs-backend-wasm/package.json')), 'dist/'),
    }
  } catch (cause) {
    throw new CameoError(
      'USAGE',
      `@vladmandic/human is not installed in ${dirname(fileURLToPath(from))}: remove that folder and run this again`,
      { cause },
    )
  }
}

/**
 * Only face detector, mesh (landmarks) and description (embedding). The result cache is off: it answers a
 * frame with the faces of another frame up to 3 s old. That suits a webcam, but not frames 250 ms apart from
 * many clips.
 */
function configuration(modelsUrl: string, wasmDir: string): object {
  const off = { enabled: false }
  return {
    ...{ backend: 'wasm', wasmPath: wasmDir, modelBasePath: modelsUrl, debug: false, cacheSensitivity: 0 },
    ...{ filter: off, gesture: off, body: off, hand: off, object: off, segmentation: off },
    face: {
      enabled: true,
      // Every face, as Cameo does; the default is one.
      detector: { maxDetected: 10, rotation: false },
      ...{ mesh: { enabled: true }, description: { enabled: true } },
      ...{ iris: off, emotion: off, antispoof: off, liveness: off },
    },
  }
}

/** The package fetches its models over HTTP. This server offers them from the package's folder. */
async function serveFolder(dir: string): Promise<{ readonly url: string; close(): void }> {
  const server = createServer((request, response) => {
    const file = join(dir, basename(new URL(request.url ?? '/', 'http://localhost').pathname))
    pipeline(createReadStream(file), response).catch(() => response.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port to serve models on')
  return {
    url: `http://127.0.0.1:${address.port}/`,
    close() {
      server.close()
      server.closeAllConnections()
    },
  }
}
