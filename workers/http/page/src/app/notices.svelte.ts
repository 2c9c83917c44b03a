/** A short message at the edge of the page. Screen readers read it. */
export interface Notice {
  readonly id: number
  readonly text: string
  readonly kind: 'done' | 'problem'
  readonly action?: { readonly label: string; readonly run: () => void }
}

const staysMs = 8000

class Notices {
  shown = $state<readonly Notice[]>([])
  /** Read by screen readers only. */
  spoken = $state('')
  #nextId = 0

  tell(text: string, options: Partial<Pick<Notice, 'kind' | 'action'>> = {}): void {
    const notice = { id: this.#nextId++, text, kind: 'done' as const, ...options }
    this.shown = [...this.shown.slice(-2), notice]
    setTimeout(() => this.close(notice.id), staysMs)
  }

  say(text: string): void {
    this.spoken = text
  }

  close(id: number): void {
    this.shown = this.shown.filter((notice) => notice.id !== id)
  }
}

export const notices = new Notices()
