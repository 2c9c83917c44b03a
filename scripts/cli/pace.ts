/** How fast work proceeds, and when it will be done. Times come from the given clock, s. */
export interface Pace {
  /** Marks the start of the work. Without this call, the first `advance` starts it. */
  start(): void
  /** Adds this amount of finished work. */
  advance(amount: number): void
  /** Work per second; undefined in the first moments. */
  readonly rate: number | undefined
  /** Seconds until the remaining work is done; undefined in the first moments. Call it repeatedly. */
  etaS(left: number): number | undefined
}

/**
 * Work done this long ago has a weight of one third, s. So a stretch without a face, or a slow share, hardly
 * changes the speed.
 */
const memoryS = 300
/** No estimate before this time, s: an earlier rate would be random. */
const firstSayS = 3
/**
 * The estimate moves this slowly, s, after the first minutes: the amount of remaining work is an estimate
 * too.
 */
const patienceS = 30
const learningS = 60
/** Near the end the estimate moves faster: within this share of the remaining time. */
const patienceShare = 0.25

/**
 * The rate is a mean over the last minutes. The estimated end moves smoothly: it does not jump when a film or
 * many short clips begin.
 */
export function createPace(clockS: () => number): Pace {
  let startedS: number | undefined
  let lastS = 0
  let done = 0
  let timeS = 0
  let said: { readonly atS: number; readonly etaS: number } | undefined

  function pass(): number {
    const nowS = clockS()
    const passedS = Math.max(0, nowS - lastS)
    const kept = Math.exp(-passedS / memoryS)
    done *= kept
    // The mean with a weight that decreases with the age of the work.
    timeS = timeS * kept + memoryS * (1 - kept)
    lastS = nowS
    return nowS
  }

  function rateNow(): number | undefined {
    if (startedS === undefined) return undefined
    const nowS = pass()
    return nowS - startedS < firstSayS || done === 0 ? undefined : done / timeS
  }

  function start(): void {
    if (startedS !== undefined) return
    startedS = clockS()
    lastS = startedS
  }

  return {
    start,
    advance(amount) {
      start()
      pass()
      done += amount
    },
    get rate() {
      return rateNow()
    },
    etaS(left) {
      const rate = rateNow()
      if (rate === undefined || startedS === undefined) return undefined
      const nowS = lastS
      const followsS = left / rate
      const isLearning = said === undefined || nowS - startedS < learningS
      said = {
        atS: nowS,
        etaS: isLearning || said === undefined ? followsS : movedTowards(followsS, said, nowS),
      }
      return said.etaS
    },
  }
}

function movedTowards(
  followsS: number,
  said: { readonly atS: number; readonly etaS: number },
  nowS: number,
): number {
  const passedS = nowS - said.atS
  const expectedS = Math.max(0, said.etaS - passedS)
  const slownessS = Math.min(patienceS, Math.max(1, patienceShare * followsS))
  return expectedS + (followsS - expectedS) * (1 - Math.exp(-passedS / slownessS))
}
