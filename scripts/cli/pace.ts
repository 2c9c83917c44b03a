/** How fast work goes on, and when it will be done. Times are of the clock that is given, s. */
export interface Pace {
  /** Work begins; else it does with the first of it that is done. */
  start(): void
  /** So much more of the work is done. */
  advance(amount: number): void
  /** Work for each second; undefined in the first moments. */
  readonly rate: number | undefined
  /** Seconds until what is left is done; undefined in the first moments. To be asked again and again. */
  etaS(left: number): number | undefined
}

/** Work of this long ago counts by a third, s: a stretch without a face, or a slow share, is no new speed. */
const memoryS = 300
/** Before it nothing is said, s: a rate over less is a rate of chance. */
const firstSayS = 3
/** What was said is left this slowly, s, once there was time to learn: the amount that is left is an estimate, too. */
const patienceS = 30
const learningS = 60
/** A wait that nears its end is told as it is: its share of what is left. */
const patienceShare = 0.25

/**
 * The rate is a mean over the last minutes, and what is said of the end moves towards what follows from it: it does not
 * jump where a film begins or many short clips do.
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
    // The mean of a weight that falls off over the time that passed.
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
