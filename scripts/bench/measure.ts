/**
 * How the benchmarks measure processes: with Linux's /proc, because Node reports CPU time and memory only for
 * itself.
 */
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { availableParallelism } from 'node:os'

/** CPU times in /proc are in ticks of 1/100 s on every architecture that Node runs on (USER_HZ). */
const ticksPerS = 100

export const mebibyte = 2 ** 20

/** Throws if there is no /proc. */
export function requireProc(): void {
  if (!existsSync('/proc/self/stat'))
    throw new Error('this benchmark reads CPU times and memory from /proc: run it on Linux')
}

/**
 * The middle value. For an even number of values, the mean of the two in the middle. NaN for an empty list.
 */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length / 2
  const [low, high] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]]
  return low === undefined || high === undefined ? Number.NaN : (low + high) / 2
}

/** CPU time (user and system) of this process, all threads, s. */
export function ownCpuS(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}

/** CPU time of a process and of its ended children, s; undefined if the process is gone. */
export function cpuOf(
  pid: number | 'self',
): { readonly ownS: number; readonly endedChildrenS: number } | undefined {
  const stat = readOrUndefined(`/proc/${pid}/stat`)
  if (stat === undefined) return undefined
  // The name, field 2, may hold spaces. After it: state is field 3, utime 14, stime 15, cutime 16, cstime 17.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const field = (number: number) => Number(fields[number - 3]) / ticksPerS
  return { ownS: field(14) + field(15), endedChildrenS: field(16) + field(17) }
}

/** CPU time of the whole machine, s: everything except idling and waiting for disks. */
export function machineCpuS(): number {
  const line = readFileSync('/proc/stat', 'utf8').split('\n', 1)[0] ?? ''
  const [user = 0, nice = 0, system = 0, , , irq = 0, softIrq = 0, steal = 0] = line
    .split(/\s+/)
    .slice(1)
    .map(Number)
  return (user + nice + system + irq + softIrq + steal) / ticksPerS
}

/** The state of a process and its children (ffmpeg) at one moment. */
export interface TreeSample {
  readonly atMs: number
  /** CPU time of the process and of its ended children, s. */
  readonly cpuS: number
  readonly machineCpuS: number
}

export interface TreeWatch {
  /** Takes a sample now. */
  sample(): void
  readonly samples: readonly TreeSample[]
  /** The largest sum of resident memory of the process and its children at one moment, bytes. */
  readonly peakTreeBytes: number
  /** The process's own high-water mark, bytes. It is exact, unlike a sampled sum. */
  readonly peakProcessBytes: number
  stop(): void
}

/**
 * How often a process tree is sampled, ms. A sample takes about a millisecond, so it hardly disturbs the
 * process.
 */
const watchEveryMs = 100

export function watchTree(pid: number): TreeWatch {
  const samples: TreeSample[] = []
  let peakTreeBytes = 0
  let peakProcessBytes = 0
  function sample(): void {
    const cpu = cpuOf(pid)
    if (cpu !== undefined)
      samples.push({
        atMs: performance.now(),
        cpuS: cpu.ownS + cpu.endedChildrenS,
        machineCpuS: machineCpuS(),
      })
  }
  const timer = setInterval(() => {
    sample()
    const process = memoryOf(pid)
    const children = childrenOf(pid).reduce((sum, child) => sum + memoryOf(child).residentBytes, 0)
    peakTreeBytes = Math.max(peakTreeBytes, process.residentBytes + children)
    peakProcessBytes = Math.max(peakProcessBytes, process.highWaterBytes)
  }, watchEveryMs)
  return {
    sample,
    samples,
    get peakTreeBytes() {
      return peakTreeBytes
    },
    get peakProcessBytes() {
      return peakProcessBytes
    },
    stop: () => clearInterval(timer),
  }
}

export function memoryOf(pid: number): { readonly residentBytes: number; readonly highWaterBytes: number } {
  const status = readOrUndefined(`/proc/${pid}/status`) ?? ''
  const kilobytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0)
  return { residentBytes: kilobytes('VmRSS') * 1024, highWaterBytes: kilobytes('VmHWM') * 1024 }
}

/** Linux lists children with the thread that started them. */
function childrenOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
      (readOrUndefined(`/proc/${pid}/task/${thread}/children`) ?? '').split(' ').filter(Boolean).map(Number),
    )
  } catch {
    return [] // the process is gone
  }
}

function readOrUndefined(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined // processes and threads can end during the sample
  }
}

export const cores = availableParallelism()
