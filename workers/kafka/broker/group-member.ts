import { setTimeout as sleep } from 'node:timers/promises'
import { messageOf } from '../../../pipeline/common/errors.js'
import { ConsumerRun } from './consumer-run.js'
import type { GroupMember, GroupMemberOptions } from './group.js'

const defaultSessionTimeoutMs = 30_000
const defaultRestartAfterMs = 3000
const leaveBeforeRestartMs = 3000

/**
 * Rejects if the group does not accept the member the first time, for example because the broker does not
 * allow it.
 */
export async function joinGroup(options: GroupMemberOptions): Promise<GroupMember> {
  const member = new RejoiningMember(options)
  await member.join()
  return member
}

/** A member that starts a new consumer each time its consumer crashes. */
export class RejoiningMember implements GroupMember {
  readonly #options: GroupMemberOptions
  readonly #restartAfterMs: number
  readonly #sessionTimeoutMs: number
  #run: ConsumerRun | undefined
  #lastBeat = Date.now()
  #isLeaving = false

  constructor(options: GroupMemberOptions, restartAfterMs = defaultRestartAfterMs) {
    this.#options = options
    this.#restartAfterMs = restartAfterMs
    this.#sessionTimeoutMs = options.sessionTimeoutMs ?? defaultSessionTimeoutMs
  }

  get isHealthy(): boolean {
    return !this.#isLeaving && Date.now() - this.#lastBeat < this.#sessionTimeoutMs
  }

  async join(): Promise<void> {
    const run = new ConsumerRun(this.#options, this.#sessionTimeoutMs, {
      onBeat: () => (this.#lastBeat = Date.now()),
      onCrash: () => void this.#rejoin(),
    })
    await run.start()
    this.#run = run
  }

  async leave(ms: number): Promise<void> {
    this.#isLeaving = true
    await this.#run?.disconnect(ms)
  }

  async #rejoin(): Promise<void> {
    const { log, onAssigned } = this.#options
    onAssigned([], undefined)
    await this.#run?.disconnect(leaveBeforeRestartMs)
    while (!this.#isLeaving) {
      await sleep(this.#restartAfterMs)
      try {
        await this.join()
        return
      } catch (error) {
        log.error({ error: messageOf(error) }, 'the consumer does not start, trying again')
      }
    }
  }
}
