/** Version of the tables in audit.sqlite. */
export const auditSchemaVersion = 1

/**
 * The tables of audit.sqlite. Rows of the log are only added. A row names people only in `sealed`, which is encrypted with keys
 * of `subject_keys`: when a key is destroyed, the row and the chain of hashes stay as they are.
 */
export const auditTablesSql = `
CREATE TABLE audit_log (
  seq INTEGER PRIMARY KEY,           -- 1, 2, 3, … without a gap
  at TEXT NOT NULL,                  -- ISO 8601, UTC
  actor_kind TEXT NOT NULL, actor_id TEXT NOT NULL, actor_name TEXT NOT NULL,
  action TEXT NOT NULL,
  purpose TEXT, case_reference TEXT, approval_id TEXT,
  outcome TEXT NOT NULL,
  details TEXT NOT NULL,             -- JSON object; names nobody
  sealed TEXT NOT NULL,              -- JSON [[subject id, base64 of nonce + ciphertext + tag], …]
  previous_hash BLOB NOT NULL,
  hash BLOB NOT NULL                 -- HMAC-SHA-256 of previous_hash and all other columns
);
CREATE INDEX audit_log_action ON audit_log (action);

-- How many rows the log has, and the hash of the last one.
CREATE TABLE audit_head (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  count INTEGER NOT NULL, hash BLOB NOT NULL, mac BLOB NOT NULL
);

-- Rows stay in their place, so that no copy of a key is left when SQLite moves rows between pages. A destroyed key is zeros.
CREATE TABLE subject_keys (
  subject_id INTEGER PRIMARY KEY,
  label_hmac BLOB NOT NULL,          -- of kind and label; random bytes after the key was destroyed
  key BLOB NOT NULL,                 -- 32 bytes
  destroyed INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX subject_keys_label ON subject_keys (label_hmac);

-- Requests to search, for which a second person's consent is needed.
CREATE TABLE approvals (
  approval_id TEXT PRIMARY KEY,
  question TEXT NOT NULL,            -- HMAC of what is asked, hex
  sealed TEXT NOT NULL,              -- as in audit_log: what is asked
  requester TEXT NOT NULL,           -- JSON {kind, id, name}
  purpose TEXT, case_reference TEXT,
  requested_at TEXT NOT NULL,
  expires_at TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('requested', 'approved', 'denied', 'used')),
  decider TEXT,                      -- JSON {kind, id, name}
  reason TEXT,
  decided_at TEXT, used_at TEXT
);
CREATE INDEX approvals_requested ON approvals (requested_at);

-- What an erasure is about to take: the keys of what is gone must be destroyed, also if the process dies. HMACs as in subject_keys.
CREATE TABLE erasure_notes (
  label_hmac BLOB NOT NULL,
  owner_kind TEXT NOT NULL,          -- 'name', 'clip' or 'group'
  owner_hmac BLOB NOT NULL,          -- what the subject goes with
  PRIMARY KEY (label_hmac, owner_hmac)
) WITHOUT ROWID;

-- Signed proofs of erasures.
CREATE TABLE receipts (
  number INTEGER PRIMARY KEY,
  receipt_id TEXT NOT NULL UNIQUE,
  at TEXT NOT NULL,
  completes TEXT,                    -- the receipt of an unfinished erasure that this one finishes
  pending INTEGER NOT NULL,
  body TEXT NOT NULL                 -- JSON, as signed
);
`

/** The log is only added to. */
export const auditTriggersSql = `
CREATE TRIGGER audit_log_unchanged BEFORE UPDATE ON audit_log BEGIN
  SELECT RAISE(ABORT, 'rows of the audit log cannot be changed');
END;
CREATE TRIGGER audit_log_kept BEFORE DELETE ON audit_log BEGIN
  SELECT RAISE(ABORT, 'rows of the audit log cannot be deleted');
END;
CREATE TRIGGER audit_log_at_end BEFORE INSERT ON audit_log
WHEN NEW.seq <> (SELECT coalesce(max(seq), 0) + 1 FROM audit_log) BEGIN
  SELECT RAISE(ABORT, 'rows of the audit log can only be added at its end');
END;
CREATE TRIGGER subject_keys_kept BEFORE DELETE ON subject_keys BEGIN
  SELECT RAISE(ABORT, 'keys of subjects are destroyed in their place');
END;
`
