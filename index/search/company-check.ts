import type { Archive } from '../archive/open-archive.js'
import type { WholeRows } from '../store/whole-rows.js'
import type { AskedPerson } from './asked-person.js'
import { othersOf, rangesWithin, type Companion } from './company.js'
import { ClipDescriber, type DescribedClip } from './describe-clip.js'
import type { SearchOptions } from './search-options.js'

/** Holds clips against a company. A track counts for the one of all asked people whom it matches best. Nothing in it waits. */
export class CompanyCheck {
  readonly #with: readonly { readonly name: string; readonly describer: ClipDescriber }[]
  readonly #without: readonly ClipDescriber[]
  readonly #together: boolean

  /** @param query of the person who is searched for, L2-normalised */
  constructor(archive: Archive, rows: WholeRows, query: Float32Array, options: SearchOptions) {
    const { company = { with: [], without: [], together: false }, minScore, verdicts } = options
    const everyone: readonly AskedPerson[] = [{ query, verdicts }, ...othersOf(company)]
    const describerOf = (own: Companion) =>
      new ClipDescriber(archive, rows, own.query, {
        ...{ top: 1, minScore, hidden: own.hidden, verdicts: own.verdicts },
        rivals: everyone.filter((other) => other !== own),
      })
    this.#with = company.with.map((own) => ({ name: own.name, describer: describerOf(own) }))
    this.#without = company.without.map(describerOf)
    this.#together = company.together
  }

  /** The clip with what is asked of the others; undefined where one of them is missing, or is there and should not be. */
  check(found: DescribedClip): DescribedClip | undefined {
    const { clip, isMatch } = found
    if (this.#without.some((describer) => describer.describe(clip.clipId)?.isMatch === true)) return undefined
    if (this.#with.length === 0) return found
    const others = []
    let { ranges } = clip
    for (const { name, describer } of this.#with) {
      const other = describer.describe(clip.clipId)
      if (other?.isMatch !== true) return undefined
      others.push({ name, score: other.clip.score, ranges: other.clip.ranges })
      if (this.#together) ranges = rangesWithin(ranges, other.clip.ranges)
    }
    if (ranges.length === 0) return undefined
    return {
      clip: { ...clip, ranges, others },
      isMatch: isMatch && ranges.some(({ weak }) => weak !== true),
    }
  }
}
