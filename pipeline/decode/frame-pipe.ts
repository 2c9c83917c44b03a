import { Writable } from 'node:stream'

/**
 * The receiving end of ffmpeg's output. It copies bytes straight into the requested frame and takes nothing while no
 * frame is requested, so that ffmpeg waits (at most 64 KB are held here, about 200 KB in the operating system's
 * buffer).
 */
export class FramePipe extends Writable {
  #target: Uint8Array | undefined
  #filled = 0
  #resolve: ((complete: boolean) => void) | undefined
  #held: { readonly chunk: Buffer; offset: number; readonly done: () => void } | undefined
  #ended = false
  #discarding = false
  readonly #onBytes: () => void

  constructor(onBytes: () => void) {
    // No `close` event: fluent-ffmpeg would treat it as a broken output (see ffmpeg.ts).
    super({ emitClose: false, highWaterMark: 1 })
    this.#onBytes = onBytes
  }

  /** True while ffmpeg waits for the reader, not the reader for ffmpeg. */
  get isHolding(): boolean {
    return this.#held !== undefined
  }

  /** Fills `target`; false if the stream ends first. One call at a time. */
  fill(target: Uint8Array): Promise<boolean> {
    return new Promise((resolve) => {
      this.#target = target
      this.#filled = 0
      this.#resolve = resolve
      if (this.#ended || this.#discarding) this.#finish(false)
      else this.#copyHeld()
    })
  }

  /** Ends the stream for the reader and discards what still arrives, so that nothing keeps the pipe open. */
  discard(): void {
    this.#discarding = true
    this.#finish(false)
    const held = this.#held
    this.#held = undefined
    held?.done()
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#onBytes()
    if (this.#discarding) {
      done()
      return
    }
    this.#held = { chunk, offset: 0, done }
    this.#copyHeld()
  }

  override _final(done: () => void): void {
    this.#ended = true
    this.#finish(false)
    done()
  }

  #copyHeld(): void {
    const held = this.#held
    const target = this.#target
    if (held === undefined || target === undefined) return
    const count = Math.min(held.chunk.length - held.offset, target.length - this.#filled)
    target.set(held.chunk.subarray(held.offset, held.offset + count), this.#filled)
    this.#filled += count
    held.offset += count
    const isUsedUp = held.offset === held.chunk.length
    if (isUsedUp) this.#held = undefined
    if (this.#filled === target.length) this.#finish(true)
    // Last, because it may call `_write` again at once.
    if (isUsedUp) held.done()
  }

  #finish(complete: boolean): void {
    const resolve = this.#resolve
    this.#resolve = undefined
    this.#target = undefined
    resolve?.(complete)
  }
}
