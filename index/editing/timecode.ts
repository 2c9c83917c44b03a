/** A rate that timecode counts. */
export interface TimecodeRate {
  /** Frames a second, exact: 30000/1001 for 29.97. */
  readonly fps: number
  /** Frames that one second of timecode counts: 30 for 29.97. */
  readonly base: number
  /** Drop frame is known for it: 29.97 and 59.94. */
  readonly canDrop: boolean
}

const ntsc = (base: number): TimecodeRate => ({ fps: (base * 1000) / 1001, base, canDrop: base % 30 === 0 })
const whole = (base: number): TimecodeRate => ({ fps: base, base, canDrop: false })

/** The rates of SMPTE ST 12-1, and those of film and television at high rates. */
const rates = [ntsc(24), whole(24), whole(25), ntsc(30), whole(30), ntsc(48), whole(48), whole(50), ntsc(60), whole(60)] // prettier-ignore

/** ffmpeg prints two digits: 23.98 is 24000/1001, and 24 lies 0.024 beside it. */
const sameRate = 0.006

/** Where a file does not state its rate. */
export const usualRate = whole(25)

/**
 * The rate in which a clip is edited. A rate that timecode does not count, as 12 or 120, becomes the one that holds whole
 * numbers of its frames, or the reverse; another, as the mean rate of a phone, the nearest.
 */
export function timecodeRateOf(fps: number): TimecodeRate {
  const isSame = (times: number) => (rate: TimecodeRate) =>
    Math.abs(rate.fps - fps * times) < sameRate * times
  for (const times of [1, 2, 3, 4, 5, 1 / 2, 1 / 3, 1 / 4, 1 / 5]) {
    const found = rates.find(isSame(times))
    if (found !== undefined) return found
  }
  return rates.reduce((best, rate) => (Math.abs(rate.fps - fps) < Math.abs(best.fps - fps) ? rate : best))
}

/** "25", "29.97", "23.976". */
export const rateText = ({ fps }: TimecodeRate) => String(Number(fps.toFixed(3)))

/** Numbers left out at the beginning of each minute but every tenth: 2 at 29.97, 4 at 59.94. */
const droppedAMinute = (rate: TimecodeRate) => rate.base / 15

/**
 * A count of frames as `hh:mm:ss:ff`, or `hh:mm:ss;ff` with drop frame: then the first numbers of each minute but every tenth are
 * left out, so that the timecode keeps to the clock. After 24 hours it begins again.
 */
export function formatTimecode(frames: number, rate: TimecodeRate, isDrop: boolean): string {
  const { base } = rate
  const ofDay = isDrop ? framesOfTenMinutes(rate) * 144 : base * 86_400
  const within = ((frames % ofDay) + ofDay) % ofDay
  const number = isDrop ? within + droppedBefore(within, rate) : within
  const parts = [number / (base * 3600), (number / (base * 60)) % 60, (number / base) % 60, number % base]
  const [hours, minutes, seconds, rest] = parts.map((part) => String(Math.floor(part)).padStart(2, '0'))
  return `${hours}:${minutes}:${seconds}${isDrop ? ';' : ':'}${rest}`
}

const framesOfTenMinutes = (rate: TimecodeRate) => rate.base * 600 - 9 * droppedAMinute(rate)

/** How many numbers are left out before this frame. */
function droppedBefore(frames: number, rate: TimecodeRate): number {
  const dropped = droppedAMinute(rate)
  const tens = Math.floor(frames / framesOfTenMinutes(rate))
  const within = frames % framesOfTenMinutes(rate)
  const framesOfMinute = rate.base * 60 - dropped
  // The first minute of ten drops nothing: it is longer.
  const minutes = within < rate.base * 60 ? 0 : 1 + Math.floor((within - rate.base * 60) / framesOfMinute)
  return dropped * (9 * tens + minutes)
}

/** A timecode of a file, counted at a rate. */
export interface ParsedTimecode {
  readonly frames: number
  readonly isDrop: boolean
}

/** Undefined where it is none at this rate: a frame number that is too high, or one that drop frame leaves out. */
export function parseTimecode(text: string, rate: TimecodeRate): ParsedTimecode | undefined {
  const match = /^(\d\d):(\d\d):(\d\d)([:;.])(\d\d)$/.exec(text)
  if (match === null) return undefined
  const [hours = 0, minutes = 0, seconds = 0, rest = 0] = [1, 2, 3, 5].map((at) => Number(match[at]))
  if (hours > 23 || minutes > 59 || seconds > 59 || rest >= rate.base) return undefined
  const isDrop = rate.canDrop && match[4] !== ':'
  const number = ((hours * 60 + minutes) * 60 + seconds) * rate.base + rest
  if (!isDrop) return { frames: number, isDrop }
  const dropped = droppedAMinute(rate)
  if (minutes % 10 !== 0 && seconds === 0 && rest < dropped) return undefined
  const allMinutes = hours * 60 + minutes
  return { frames: number - dropped * (allMinutes - Math.floor(allMinutes / 10)), isDrop }
}
