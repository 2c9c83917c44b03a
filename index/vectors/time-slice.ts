/** Other work of the event loop gets a turn after so long; adding one vector to a large graph takes 2 ms. */
const sliceMs = 20

export interface TimeSlice {
  /** To be called between two steps: waits for other work of the event loop where the slice has lasted long enough. */
  end(): Promise<void> | undefined
}

export function createTimeSlice(lengthMs: number = sliceMs): TimeSlice {
  let started = performance.now()
  return {
    end() {
      if (performance.now() - started < lengthMs) return undefined
      return new Promise((resolve) => {
        setImmediate(() => {
          started = performance.now()
          resolve()
        })
      })
    },
  }
}
