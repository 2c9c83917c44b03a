import type { Database } from './sqlite.js'
import { inTransaction } from './transaction.js'
import { pathBelow, separatorOf } from './whole-path.js'

/** A folder or URL that contains files. */
export interface Root {
  readonly rootId: number
  readonly path: string
}

/** The rows of `roots`. No root is below another one, so that a file has one row. */
export class RootRows {
  readonly #database: Database
  readonly #select
  readonly #insert
  readonly #takeOverPaths
  readonly #delete

  constructor(database: Database) {
    this.#database = database
    this.#select = database.prepare<[], Root>('SELECT root_id AS rootId, path FROM roots')
    this.#insert = database.prepare<[string]>('INSERT INTO roots (path) VALUES (?)')
    this.#takeOverPaths = database.prepare<[number, string, number]>(
      'UPDATE paths SET root_id = ?, relative_path = ? || relative_path WHERE root_id = ?',
    )
    this.#delete = database.prepare<[number]>('DELETE FROM roots WHERE root_id = ?')
  }

  /** The root of a folder: the folder itself, or a known root above it. A new root replaces the roots below it. */
  holding(folder: string): Root {
    return this.#select.all().find(({ path }) => pathBelow(path, folder) !== undefined) ?? this.#add(folder)
  }

  #add(path: string): Root {
    return inTransaction(this.#database, () => {
      const rootId = Number(this.#insert.run(path).lastInsertRowid)
      for (const root of this.#select.all()) {
        const below = pathBelow(path, root.path)
        if (root.rootId === rootId || below === undefined) continue
        this.#takeOverPaths.run(rootId, `${below}${separatorOf(path)}`, root.rootId)
        this.#delete.run(root.rootId)
      }
      return { rootId, path }
    })
  }
}

/** Every folder and URL that holds files of the archive. */
export const rootPaths = (database: Database): string[] =>
  database.prepare<[], string>('SELECT path FROM roots ORDER BY path').pluck().all()
