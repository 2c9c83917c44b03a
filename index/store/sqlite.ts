import BetterSqlite from 'better-sqlite3'

/** The engine itself, for the files of this folder. */
export { BetterSqlite }

export type Database = BetterSqlite.Database
export type Statement<Bind extends unknown[], Row> = BetterSqlite.Statement<Bind, Row>
