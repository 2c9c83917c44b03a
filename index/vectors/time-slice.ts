/**
 * Length of a time slice. After it, other work of the event loop can run. Adding one vector to a large graph takes 2
 * ms.
 */
const sliceMs = 20

export interface TimeSlice {
  /** Call this between two steps. If the slice is over, waits for other work of the event loop. */
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
