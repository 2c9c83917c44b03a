const checksPerTimeout = 4

/**
 * Calls `onStall` after `timeoutS` without a sign of life. It counts its own checks instead of reading a clock. If the
 * machine slept or this thread was busy, one check runs late, the waiting output is read, and nothing is lost.
 */
export class Watchdog {
  readonly #timer: NodeJS.Timeout
  #silentChecks = 0

  constructor(timeoutS: number, isWaiting: () => boolean, onStall: () => void) {
    this.#timer = setInterval(
      () => {
        this.#silentChecks = isWaiting() ? this.#silentChecks + 1 : 0
        if (this.#silentChecks > checksPerTimeout) {
          this.stop()
          onStall()
        }
      },
      (timeoutS * 1000) / checksPerTimeout,
    )
    this.#timer.unref()
  }

  signOfLife(): void {
    this.#silentChecks = 0
  }

  stop(): void {
    clearInterval(this.#timer)
  }
}
