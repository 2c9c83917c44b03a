import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { openSideDatabase, type SideOptions } from '../side-database.js'
import type { Database } from '../sqlite.js'

export const accessFileName = 'access.sqlite'

/** True if the archive has such a file. */
export const hasAccessDatabase = (archiveDir: string): boolean => existsSync(join(archiveDir, accessFileName))

/**
 * Times are in ms since 1970. Secrets are stored as SHA-256 only: they have 256 random bits, so no guess finds them. A
 * password has fewer, so it is stored as an Argon2 hash.
 */
const tablesSql = `
CREATE TABLE meta (key TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE users (
  user_id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  name_key TEXT NOT NULL UNIQUE,     -- two names that differ in case or encoding are the same name
  roles TEXT NOT NULL,               -- JSON [role, ...]
  password_hash TEXT,                -- NULL: cannot sign in with a password
  disabled INTEGER NOT NULL DEFAULT 0,
  all_collections INTEGER NOT NULL,  -- 1: sees the whole archive
  created_at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE sessions (
  token_hash TEXT PRIMARY KEY,
  user_id TEXT NOT NULL REFERENCES users ON DELETE CASCADE,
  created_at_ms INTEGER NOT NULL,
  used_at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_user ON sessions (user_id);

CREATE TABLE api_keys (
  key_id TEXT PRIMARY KEY,
  user_id TEXT NOT NULL REFERENCES users ON DELETE CASCADE,
  name TEXT NOT NULL,
  secret_hash TEXT NOT NULL,
  roles TEXT NOT NULL,               -- JSON [role, ...]
  all_collections INTEGER NOT NULL,  -- 1: sees what its owner sees
  created_at_ms INTEGER NOT NULL,
  expires_at_ms INTEGER NOT NULL,
  used_at_ms INTEGER                 -- NULL: never used
) STRICT, WITHOUT ROWID;
CREATE INDEX api_keys_user ON api_keys (user_id);

CREATE TABLE collections (
  collection_id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  name_key TEXT NOT NULL UNIQUE,
  folders TEXT NOT NULL,             -- JSON [folder or URL, ...]
  created_at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE user_grants (
  user_id TEXT NOT NULL REFERENCES users ON DELETE CASCADE,
  collection_id TEXT NOT NULL REFERENCES collections ON DELETE CASCADE,
  PRIMARY KEY (user_id, collection_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX user_grants_collection ON user_grants (collection_id);

CREATE TABLE key_grants (
  key_id TEXT NOT NULL REFERENCES api_keys ON DELETE CASCADE,
  collection_id TEXT NOT NULL REFERENCES collections ON DELETE CASCADE,
  PRIMARY KEY (key_id, collection_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX key_grants_collection ON key_grants (collection_id);

-- Accounts at a provider of OpenID Connect, with which users sign in.
CREATE TABLE provider_accounts (
  issuer TEXT NOT NULL,
  subject TEXT NOT NULL,
  user_id TEXT NOT NULL REFERENCES users ON DELETE CASCADE,
  PRIMARY KEY (issuer, subject)
) STRICT, WITHOUT ROWID;
CREATE INDEX provider_accounts_user ON provider_accounts (user_id);

CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

-- The link that makes the first administrator.
CREATE TABLE setup_tokens (
  token_hash TEXT PRIMARY KEY,
  expires_at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Failed sign-ins, by what they are counted for: a user, an address, or both.
CREATE TABLE sign_in_failures (
  subject TEXT PRIMARY KEY,
  failures INTEGER NOT NULL,
  failed_at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- From where a user has signed in.
CREATE TABLE known_addresses (
  user_id TEXT NOT NULL REFERENCES users ON DELETE CASCADE,
  address TEXT NOT NULL,             -- keyed digest
  used_at_ms INTEGER NOT NULL,
  PRIMARY KEY (user_id, address)
) STRICT, WITHOUT ROWID;

-- Answers to writes that may be sent again.
CREATE TABLE kept_answers (
  actor TEXT NOT NULL,
  idempotency_key TEXT NOT NULL,
  request_digest TEXT NOT NULL,
  started_at_ms INTEGER NOT NULL,
  status INTEGER,                    -- NULL: not answered yet
  body TEXT,
  PRIMARY KEY (actor, idempotency_key)
) STRICT, WITHOUT ROWID;
`

/** Opens the users, keys and grants of an archive. @throws as `openSideDatabase` */
export function openAccessDatabase(archiveDir: string, options: SideOptions = {}): Database {
  return openSideDatabase(archiveDir, { fileName: accessFileName, version: 1, tablesSql }, options)
}

/** A random key of 32 bytes that belongs to this file: made once, then read. */
export function fileKey(database: Database, name: string): Buffer {
  const read = () =>
    database.prepare<[string], Buffer>('SELECT value FROM meta WHERE key = ?').pluck().get(name)
  const known = read()
  if (known !== undefined) return known
  const made = randomBytes(32)
  database.prepare('INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT DO NOTHING').run(name, made)
  return read() ?? made
}
