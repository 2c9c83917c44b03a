import { addChecksumFunction } from '../../index/store/checksum.js'
import type { Database } from '../../index/store/sqlite.js'

/** Runs SQL. The rows that it writes do not match their checksums. */
export function damageRows(database: Database, sql: string): void {
  database.function('row_checksum', { varargs: true, deterministic: true }, () => -1)
  database.exec(sql)
  addChecksumFunction(database)
}
