import { approvals } from '../../api.js'
import type { Approval, SearchBody } from '../../types.js'

const askEveryMs = 2000

/** The request to approve a search, while somebody waits for it. */
export class ApprovalOfSearch {
  current = $state.raw<Approval>()
  /** The question that was asked to be approved. */
  body = $state.raw<SearchBody>()
  #timer: ReturnType<typeof setTimeout> | undefined

  async request(body: SearchBody): Promise<void> {
    this.forget()
    this.current = await approvals.request(body)
    this.body = body
    this.#wait()
  }

  forget(): void {
    clearTimeout(this.#timer)
    this.current = this.body = undefined
  }

  /** The approved question. It can be asked once. */
  get approved(): SearchBody | undefined {
    const { current, body } = this
    return current?.state === 'approved' && body !== undefined
      ? { ...body, approvalId: current.approvalId }
      : undefined
  }

  #wait(): void {
    clearTimeout(this.#timer)
    if (this.current?.state !== 'requested') return
    this.#timer = setTimeout(() => void this.#ask(), askEveryMs)
  }

  async #ask(): Promise<void> {
    const { current } = this
    if (current === undefined) return
    try {
      const now = await approvals.show(current.approvalId)
      if (this.current === current) this.current = now
    } catch {
      // Asked again below.
    }
    this.#wait()
  }
}
