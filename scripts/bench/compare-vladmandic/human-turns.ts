/** The parent's side of a contestant's process. */
import { fork, type ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'

export interface HumanRequest {
  readonly clips: readonly string[]
  /** Start from frames that are decoded before the clock starts, or from files. */
  readonly from: 'frames' | 'files'
}

export interface HumanTurn {
  readonly frames: number
  readonly faces: number
  /** Number of embeddings. */
  readonly embedded: number
  readonly wallS: number
  /** Includes ffmpeg. */
  readonly cpuS: number
}

export type HumanReply =
  | { readonly kind: 'ready' }
  | { readonly kind: 'turn'; readonly turn: HumanTurn }
  | { readonly kind: 'failed'; readonly message: string }

export type ContestantName = 'cameo' | 'human'

export interface ContestantProcess {
  take(request: HumanRequest): Promise<HumanTurn>
  stop(): void
}

/** Resolves when its models are loaded. */
export async function startContestant(name: ContestantName, humanFolder: string): Promise<ContestantProcess> {
  const child = fork(
    fileURLToPath(new URL('./human-child.js', import.meta.url)),
    [name, humanFolder],
    // Standard output is for results, not for messages of a library.
    { stdio: ['ignore', 2, 2, 'ipc'] },
  )
  await nextReply(child, name)
  return {
    async take(request) {
      child.send(request)
      const reply = await nextReply(child, name)
      if (reply.kind !== 'turn') throw new Error(`${name} gave no result`)
      return reply.turn
    },
    stop: () => child.kill(),
  }
}

function nextReply(child: ChildProcess, name: ContestantName): Promise<HumanReply> {
  return new Promise((resolve, reject) => {
    const onExit = () => reject(new Error(`${name} ended`))
    child.once('exit', onExit)
    child.once('message', (reply: HumanReply) => {
      child.off('exit', onExit)
      if (reply.kind === 'failed') reject(new Error(`${name}: ${reply.message}`))
      else resolve(reply)
    })
  })
}
