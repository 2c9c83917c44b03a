import BetterSqlite from 'better-sqlite3'

/** The SQLite library, for the files in this folder. */
export { BetterSqlite }

export type Database = BetterSqlite.Database
export type Statement<Bind extends unknown[], Row> = BetterSqlite.Statement<Bind, Row>
