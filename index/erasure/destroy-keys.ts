import { eraseKeptAnswersOf } from '../access/kept-answers.js'
import type { Archive } from '../archive/open-archive.js'
import { hasAuditDatabase } from '../store/audit/audit-database.js'
import type { ErasedThings } from './erased-things.js'
import { ErasureProof } from './prove-erasure.js'

/** Must be told of a clip or a name before it is erased. */
export type BeforeErasure = Pick<ErasedThings, 'addClip' | 'addName'>

/**
 * For erasures that were ordered in another archive, which has the receipt. Destroys the keys of what `work` erases in this
 * archive's audit log. An archive without an audit log has no such keys.
 * @param work first tells `before` what it is about to erase, and then erases it
 */
export function destroyingKeys<Result>(
  archive: Archive,
  notify: (notice: string) => void,
  work: (before: BeforeErasure | undefined) => Result,
): Result {
  const proof = hasAuditDatabase(archive.dir) ? ErasureProof.begin(archive, {}, notify) : undefined
  try {
    const result = work(proof?.things)
    // Without a log nobody knows whether something was erased.
    if (proof === undefined || proof.things.subjects().length > 0) eraseKeptAnswersOf(archive.dir, notify)
    proof?.destroyKeys()
    return result
  } finally {
    proof?.close()
  }
}
