import { eraseKeptAnswersOf } from '../access/kept-answers.js'
import type { Archive } from '../archive/open-archive.js'
import { hasAuditDatabase } from '../store/audit/audit-database.js'
import type { ErasedThings } from './erased-things.js'
import { ErasureProof } from './prove-erasure.js'

/** What has to know of a clip or a name before it is erased. */
export type BeforeErasure = Pick<ErasedThings, 'addClip' | 'addName'>

/**
 * For erasures that were ordered in another archive, which has the receipt: destroys the keys that this archive's audit log has
 * for what `work` erases. An archive without an audit log has none.
 * @param work erases, after it has told what
 */
export function destroyingKeys<Result>(
  archive: Archive,
  notify: (notice: string) => void,
  work: (before: BeforeErasure | undefined) => Result,
): Result {
  const proof = hasAuditDatabase(archive.dir) ? ErasureProof.begin(archive, {}, notify) : undefined
  try {
    const result = work(proof?.things)
    if (proof?.things.subjects().length) eraseKeptAnswersOf(archive.dir, notify)
    proof?.destroyKeys()
    return result
  } finally {
    proof?.close()
  }
}
