/** Runs `cameo ingest` as a user does, in its own process with an archive on disk, and measures it. */
import { spawn } from 'node:child_process'
import { rmSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { countByHeight, type HeightCounts } from '../../index/store/counts.js'
import { openDatabase } from '../../index/store/database.js'
import { watchTree, type TreeSample } from './measure.js'

export interface IngestRun {
  readonly clips: number
  /**
   * Time from the start of the first clip until the last clip is reported, s. It excludes the start of the
   * process. Results say how long a clip took, and are reported shortly after the clip is done, when they are
   * durable; so ± 0.25 s.
   */
  readonly wallS: number
  /** CPU time in that time: of the process and ffmpeg, and of everything else on the machine, s. */
  readonly cpuS: number
  readonly othersCpuS: number
  readonly counts: readonly HeightCounts[]
  /** Resident memory of the process and its ffmpeg children together, and of the process alone, bytes. */
  readonly peakTreeBytes: number
  readonly peakProcessBytes: number
}

export interface IngestRunOptions {
  /** Deleted and created again. */
  readonly archiveDir: string
  readonly threads: number
  /** Length of the parts of a clip that threads share, s. */
  readonly segmentS?: number
}

const resultSchema = z.object({ status: z.string(), path: z.string(), seconds: z.number() })

/**
 * @param inputs files and folders
 * @throws if a clip is not ingested: the results would be meaningless
 */
export async function ingestInFreshProcess(
  inputs: readonly string[],
  { archiveDir, threads, segmentS }: IngestRunOptions,
): Promise<IngestRun> {
  rmSync(archiveDir, { recursive: true, force: true })
  const command = fileURLToPath(new URL('../cameo.js', import.meta.url))
  const child = spawn(
    process.execPath,
    [
      ...[command, 'ingest', ...inputs, '--archive', archiveDir, '--threads', `${threads}`, '--json'],
      ...(segmentS === undefined ? [] : ['--segment', `${segmentS}`]),
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  )
  const complaints: string[] = []
  child.stderr.setEncoding('utf8').on('data', (text: string) => complaints.push(text))
  const exited = new Promise<string>((resolve, reject) =>
    child.on('error', reject).on('close', (code, signal) => resolve(signal ?? `code ${code ?? ''}`)),
  )
  if (child.pid === undefined) throw new Error(`${command} could not be started`, { cause: await exited })
  const watch = watchTree(child.pid)
  let clips = 0
  let firstStartMs = Infinity
  let lastEndMs = -Infinity
  try {
    for await (const line of createInterface(child.stdout)) {
      const { status, path, seconds } = resultSchema.parse(JSON.parse(line))
      if (status !== 'done') throw new Error(`${path} was not ingested: ${status}`)
      clips++
      watch.sample()
      lastEndMs = performance.now()
      firstStartMs = Math.min(firstStartMs, lastEndMs - seconds * 1000)
    }
    const end = await exited
    if (end !== 'code 0')
      throw new Error(`cameo ingest ended with ${end}: ${complaints.join('').slice(-2000)}`)
  } finally {
    watch.stop()
    child.kill()
  }
  const [start, end] = [sampleAt(watch.samples, firstStartMs), sampleAt(watch.samples, lastEndMs)]
  const cpuS = end.cpuS - start.cpuS
  return {
    clips,
    wallS: (lastEndMs - firstStartMs) / 1000,
    cpuS,
    othersCpuS: Math.max(0, end.machineCpuS - start.machineCpuS - cpuS),
    counts: readCounts(archiveDir),
    peakTreeBytes: watch.peakTreeBytes,
    peakProcessBytes: watch.peakProcessBytes,
  }
}

/** The last sample before or at a moment. */
function sampleAt(samples: readonly TreeSample[], atMs: number): TreeSample {
  const found = samples.findLast((sample) => sample.atMs <= atMs) ?? samples[0]
  if (found === undefined) throw new Error('the ingest process ended before it was looked at')
  return found
}

function readCounts(archiveDir: string): HeightCounts[] {
  const database = openDatabase(archiveDir, { readOnly: true })
  try {
    return countByHeight(database)
  } finally {
    database.close()
  }
}
