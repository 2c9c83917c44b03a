import { quoted } from '../../pipeline/common/display-name.js'
import { CameoError } from '../../pipeline/common/errors.js'

/**
 * The error for a name that nobody in the visible part of an archive has. It is the same whether the name is enrolled or not,
 * and tells no other names.
 */
export const unseenName = (given: string): CameoError =>
  new CameoError('NAME_UNKNOWN', `nobody is enrolled as ${quoted(given)}`)

/** Runs `work`, which reads a name. Its NAME_UNKNOWN says why a name cannot be compared, so that it tells that there is one. */
export function hidingNames<T>(given: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw error instanceof CameoError && error.code === 'NAME_UNKNOWN' ? unseenName(given) : error
  }
}
