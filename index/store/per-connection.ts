import type { Database } from './sqlite.js'

/**
 * Makes something once for each connection, for example prepared statements: preparing them for each question would take longer than
 * running them. It goes with the connection.
 */
export function perConnection<Made>(make: (database: Database) => Made): (database: Database) => Made {
  const known = new WeakMap<Database, { readonly made: Made }>()
  return (database) => {
    const entry = known.get(database) ?? { made: make(database) }
    known.set(database, entry)
    return entry.made
  }
}
