import { checksumColumn } from './checksum.js'
import { peopleTablesSql, peopleTriggersSql } from './people-schema.js'

/** Increased whenever the tables change. An archive with a higher version is refused. */
export const schemaVersion = 5

/** Data of a worker that reads from Kafka. Written in the same transaction as the rows that result from it. */
const topicTablesSql = `
-- Where to continue reading, and a digest of the last message: a different message there means a different topic.
CREATE TABLE topic_offsets (
  topic TEXT NOT NULL, partition INTEGER NOT NULL,
  next_offset TEXT NOT NULL,         -- 64 bits
  last_digest TEXT NOT NULL,         -- SHA-256 of the message before it
  ${checksumColumn('topic_offsets')},
  PRIMARY KEY (topic, partition)
) WITHOUT ROWID;

-- Parts of segments whose other parts did not come yet; part -1 is the closing message. Part -2, empty: the pass over the
-- clip that attempt names gave the segment up.
CREATE TABLE pending_parts (
  clip_id TEXT NOT NULL, segment INTEGER NOT NULL, attempt TEXT NOT NULL, part INTEGER NOT NULL,
  message BLOB NOT NULL,
  ${checksumColumn('pending_parts')},
  PRIMARY KEY (clip_id, segment, attempt, part)
) WITHOUT ROWID;

-- Messages to publish because of written rows, in order.
CREATE TABLE outbox (
  entry INTEGER PRIMARY KEY AUTOINCREMENT,
  topic TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL,
  ${checksumColumn('outbox')}
);
`

/** The outputs of context encoders for each segment, with or without a face. */
const contextTableSql = `
CREATE TABLE context_features (
  clip_id TEXT NOT NULL, recipe TEXT NOT NULL, segment INTEGER NOT NULL,
  encoder TEXT NOT NULL,             -- digest; the recipe in meta gives its name and dimension
  frames INTEGER NOT NULL,           -- that were encoded
  vector BLOB NOT NULL,              -- float16, little-endian: the mean of their L2-normalised vectors
  ${checksumColumn('context_features')},
  PRIMARY KEY (clip_id, recipe, segment, encoder),
  FOREIGN KEY (clip_id, recipe) REFERENCES runs ON DELETE CASCADE
) WITHOUT ROWID;
`

const journalSql = `
CREATE TABLE journal (
  entry INTEGER PRIMARY KEY AUTOINCREMENT,
  at TEXT NOT NULL,
  action TEXT NOT NULL CHECK (action IN
    ('enroll', 'forget-name', 'forget-clip', 'remember-clip', 'correct', 'describe-name')),
  subject TEXT NOT NULL,             -- JSON; no face data
  ${checksumColumn('journal')}
);
`

/**
 * Columns added in version 4: when the inode of a file changed, which content of a clip was not examined, and which
 * parts of a segment could not be decoded.
 */
const addedIn4Sql = `
ALTER TABLE paths ADD COLUMN ctime_ns TEXT;
ALTER TABLE clips ADD COLUMN left_out TEXT;
ALTER TABLE segments ADD COLUMN gaps TEXT;
`

/**
 * Checkpoints from which unfinished segments can be continued. They contain images of faces and embeddings, and are
 * deleted as soon as the segment is stored or has failed.
 */
const checkpointsTableSql = `
CREATE TABLE checkpoints (
  clip_id TEXT NOT NULL, recipe TEXT NOT NULL, segment INTEGER NOT NULL,
  part INTEGER NOT NULL,             -- 0: the state, written over and over; the others are only added to
  bytes BLOB NOT NULL,
  ${checksumColumn('checkpoints')},
  PRIMARY KEY (clip_id, recipe, segment, part),
  FOREIGN KEY (clip_id, recipe) REFERENCES runs ON DELETE CASCADE
);
`

/**
 * What people said about names. A correction names its track by place, not by id: tracks get new ids when a clip is
 * processed again, and names may come into an archive before its clips.
 */
const correctionsTableSql = `
CREATE TABLE corrections (
  correction_id INTEGER PRIMARY KEY,
  identity_id INTEGER NOT NULL REFERENCES identities ON DELETE CASCADE,
  clip_id TEXT NOT NULL,             -- the archive need not have it
  place TEXT NOT NULL,               -- JSON: where the track is; see track-place.ts
  verdict TEXT NOT NULL CHECK (verdict IN ('confirmed', 'rejected')),
  at TEXT NOT NULL,
  ${checksumColumn('corrections')}
);
CREATE INDEX corrections_identity ON corrections (identity_id);
CREATE INDEX corrections_clip ON corrections (clip_id);
`

/** Further names of a person. */
const aliasesTableSql = `
CREATE TABLE identity_aliases (
  alias TEXT PRIMARY KEY,
  identity_id INTEGER NOT NULL REFERENCES identities ON DELETE CASCADE,
  ${checksumColumn('identity_aliases')}
) WITHOUT ROWID;
CREATE INDEX identity_aliases_identity ON identity_aliases (identity_id);
`

/** Pictures of enrolled faces, from which other models can embed them. A picture is erased with its last face. */
const picturesTableSql = `
CREATE TABLE reference_pictures (
  picture_id INTEGER PRIMARY KEY,
  identity_id INTEGER NOT NULL REFERENCES identities ON DELETE CASCADE,
  jpeg BLOB NOT NULL,
  box TEXT NOT NULL,                 -- JSON [x1,y1,x2,y2], px of the picture
  landmarks TEXT NOT NULL,           -- JSON [[x,y] x 5]
  ${checksumColumn('reference_pictures')}
);
CREATE INDEX reference_pictures_identity ON reference_pictures (identity_id);
`

/** Number of tracks of a row of `segments`, with their thumbnails, faces and embeddings. @param which a further condition */
const trackRowsSql = (which = '') => `(
  SELECT count(*) + coalesce(sum(
      (SELECT count(*) FROM thumbnails WHERE thumbnails.track_id = t.track_id) +
      (SELECT count(*) + coalesce(sum((SELECT count(*) FROM embeddings WHERE embeddings.face_id = f.face_id)), 0)
         FROM faces f WHERE f.track_id = t.track_id)), 0)
    FROM tracks t
   WHERE t.clip_id = segments.clip_id AND t.recipe = segments.recipe AND t.segment = segments.segment ${which}
)`

/** Number of rows that depend on a row of `segments`. Used to detect lost rows. */
export const rowCountSql = `${trackRowsSql()} + (
  SELECT count(*) FROM context_features c
   WHERE c.clip_id = segments.clip_id AND c.recipe = segments.recipe AND c.segment = segments.segment
)`

/** How many of them belong to the tracks with the ids in the JSON list `@tracks`. */
export const rowsOfTracksSql = trackRowsSql('AND t.track_id IN (SELECT value FROM json_each(@tracks))')

/** Row counts start with version 4. Losses from before are not known. */
const rowCountsSql = `
ALTER TABLE segments ADD COLUMN row_count INTEGER NOT NULL DEFAULT 0;
UPDATE segments SET row_count = ${rowCountSql};
ALTER TABLE identities ADD COLUMN row_count INTEGER NOT NULL DEFAULT 0;
UPDATE identities SET row_count =
  (SELECT count(*) FROM reference_faces WHERE reference_faces.identity_id = identities.identity_id);
`

/**
 * Clips whose people without names were erased because of their age. Rows are kept when a clip is processed again: what
 * comes back after the last track of that time is erased again.
 */
const unnamedErasedTableSql = `
CREATE TABLE unnamed_erased (
  clip_id TEXT PRIMARY KEY, at TEXT NOT NULL,
  tracks INTEGER NOT NULL,           -- how many were erased, in all
  last_track INTEGER NOT NULL,       -- the greatest id of a track at that time
  ${checksumColumn('unnamed_erased')}
) WITHOUT ROWID;
`

/** Names that were seen in new clips, and new clips that were not looked at for them yet. */
const alertTablesSql = `
CREATE TABLE alerts (
  clip_id TEXT NOT NULL, name TEXT NOT NULL, at TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('new', 'waiting', 'told')), -- waiting: told here, to be posted to the webhook
  seen TEXT NOT NULL,                -- JSON {path, score, ranges}; {} after the last of it
  ${checksumColumn('alerts')},
  PRIMARY KEY (clip_id, name)
) WITHOUT ROWID;

CREATE TABLE alerts_due (clip_id TEXT PRIMARY KEY, ${checksumColumn('alerts_due')}) WITHOUT ROWID;
`

/** A forgotten name is in no alert. */
const alertTriggersSql = `
CREATE TRIGGER alerted_name_erased AFTER DELETE ON identities BEGIN
  DELETE FROM alerts WHERE name = OLD.name;
END;
`

/**
 * SQL that upgrades the rows to each version from the version before. After the last one, all rows are copied into
 * the current tables, which adds checksums and keeps damage visible; see `exchangeTables`.
 */
export const migrations: Readonly<Record<number, string>> = {
  2: `
${topicTablesSql}
ALTER TABLE journal RENAME TO journal_1;
${journalSql}
INSERT INTO journal SELECT * FROM journal_1;
DROP TABLE journal_1;
`,
  3: contextTableSql,
  4: addedIn4Sql + checkpointsTableSql + rowCountsSql,
  // New tables and columns come with the copy.
  5: '',
}

/** Triggers that keep some tables consistent with others. */
export const triggersSql = `
CREATE TRIGGER descriptor_added AFTER INSERT ON descriptors BEGIN
  INSERT INTO descriptor_changes (space_id, label) VALUES (NEW.space_id, NEW.label);
END;
CREATE TRIGGER descriptor_erased AFTER DELETE ON descriptors BEGIN
  INSERT INTO descriptor_changes (space_id, label) VALUES (OLD.space_id, OLD.label);
END;
CREATE TRIGGER reference_added AFTER INSERT ON reference_faces BEGIN
  UPDATE identities SET row_count = row_count + 1 WHERE identity_id = NEW.identity_id;
END;
CREATE TRIGGER reference_erased AFTER DELETE ON reference_faces BEGIN
  UPDATE identities SET row_count = row_count - 1 WHERE identity_id = OLD.identity_id;
END;
CREATE TRIGGER last_reference_erased AFTER DELETE ON reference_faces WHEN OLD.picture_id IS NOT NULL BEGIN
  DELETE FROM reference_pictures WHERE picture_id = OLD.picture_id
    AND NOT EXISTS (SELECT 1 FROM reference_faces WHERE picture_id = OLD.picture_id);
END;
CREATE TRIGGER damaged_clip_erased AFTER DELETE ON clips BEGIN
  DELETE FROM damaged_clips WHERE clip_id = OLD.clip_id;
END;
${peopleTriggersSql}${alertTriggersSql}`

/**
 * The tables of an archive. Each row ends with its checksum. A clip is identified by its content (SHA-256); a path
 * says where the content is. Everything derived depends on (clip, recipe, segment). Labels and track ids are
 * AUTOINCREMENT, so they are never reused.
 */
export const tablesSql = `
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL, ${checksumColumn('meta')}) WITHOUT ROWID;

CREATE TABLE roots (root_id INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE, ${checksumColumn('roots')});

-- One row per file. The digest is trusted while device, inode, size and times stay the same.
CREATE TABLE paths (
  root_id INTEGER NOT NULL REFERENCES roots,
  relative_path TEXT NOT NULL,
  clip_id TEXT,                      -- SHA-256 of the content; NULL where it could not be read
  device TEXT NOT NULL, inode TEXT NOT NULL, size_bytes INTEGER NOT NULL, mtime_ns TEXT NOT NULL,
  code TEXT, message TEXT,           -- why it failed; NULL where it did not
  ctime_ns TEXT,                     -- NULL where it was not noted, as before schema 4
  ${checksumColumn('paths')},
  PRIMARY KEY (root_id, relative_path)
) WITHOUT ROWID;
CREATE INDEX paths_clip ON paths (clip_id);
CREATE INDEX paths_inode ON paths (inode);

-- Facts of a clip that do not depend on a recipe.
CREATE TABLE clips (
  clip_id TEXT PRIMARY KEY,
  size_bytes INTEGER NOT NULL,
  duration_s REAL, width_px INTEGER, height_px INTEGER, codec TEXT, container TEXT,
  added_at TEXT NOT NULL,
  left_out TEXT,                     -- JSON [sentence, ...]: what of it is not looked at, as further video streams; NULL: nothing
  ${checksumColumn('clips')}
) WITHOUT ROWID;

-- A clip processed with a recipe. When a run is complete, the runs of other recipes are deleted.
CREATE TABLE runs (
  clip_id TEXT NOT NULL REFERENCES clips ON DELETE CASCADE,
  recipe TEXT NOT NULL,
  segments INTEGER NOT NULL,         -- how many there are; fixed when the clip is planned
  cuttable INTEGER NOT NULL,         -- 0 where the container has to be read in one pass
  state TEXT NOT NULL CHECK (state IN ('working', 'done', 'partial')),
  truncated INTEGER NOT NULL DEFAULT 0,
  ${checksumColumn('runs')},
  PRIMARY KEY (clip_id, recipe)
) WITHOUT ROWID;

CREATE TABLE segments (
  clip_id TEXT NOT NULL, recipe TEXT NOT NULL, segment INTEGER NOT NULL,
  start_s REAL NOT NULL, end_s REAL,
  state TEXT NOT NULL CHECK (state IN ('done', 'failed')),
  frames INTEGER NOT NULL, faces INTEGER NOT NULL, truncated INTEGER NOT NULL,
  code TEXT, message TEXT,           -- why it was given up
  gaps TEXT,                         -- JSON [[start_s, end_s], ...]: what could not be decoded; NULL: nothing
  row_count INTEGER NOT NULL DEFAULT 0, -- of what hangs on it: see rowCountSql
  ${checksumColumn('segments')},
  PRIMARY KEY (clip_id, recipe, segment),
  FOREIGN KEY (clip_id, recipe) REFERENCES runs ON DELETE CASCADE
) WITHOUT ROWID;

CREATE TABLE tracks (
  track_id INTEGER PRIMARY KEY AUTOINCREMENT,
  clip_id TEXT NOT NULL, recipe TEXT NOT NULL, segment INTEGER NOT NULL, number INTEGER NOT NULL,
  spans TEXT NOT NULL,               -- JSON [[start_s, end_s], ...]: when the person was seen
  samples INTEGER NOT NULL,          -- sampled frames in which the face was found
  quality REAL NOT NULL,             -- of the best face, 0..1
  provider TEXT NOT NULL,            -- what ran the models: cpu, cuda:0
  ${checksumColumn('tracks')},
  UNIQUE (clip_id, recipe, segment, number),
  FOREIGN KEY (clip_id, recipe) REFERENCES runs ON DELETE CASCADE
);

-- The K best faces of a track.
CREATE TABLE faces (
  face_id INTEGER PRIMARY KEY,
  track_id INTEGER NOT NULL REFERENCES tracks ON DELETE CASCADE,
  time_s REAL NOT NULL,
  box TEXT NOT NULL,                 -- JSON [x1,y1,x2,y2], px of the displayed clip
  landmarks TEXT NOT NULL,           -- JSON [[x,y] x 5]
  detection_score REAL NOT NULL, quality REAL NOT NULL,
  ${checksumColumn('faces')}
);
CREATE INDEX faces_track ON faces (track_id);

-- A face may have embeddings by several embedders.
CREATE TABLE embeddings (
  face_id INTEGER NOT NULL REFERENCES faces ON DELETE CASCADE,
  embedder TEXT NOT NULL,            -- digest of the embedding recipe
  norm REAL NOT NULL,                -- of the raw vector
  vector BLOB NOT NULL,              -- float16, little-endian, not normalised
  ${checksumColumn('embeddings')},
  PRIMARY KEY (face_id, embedder)
) WITHOUT ROWID;

CREATE TABLE thumbnails (
  track_id INTEGER PRIMARY KEY REFERENCES tracks ON DELETE CASCADE,
  jpeg BLOB NOT NULL,
  ${checksumColumn('thumbnails')}
);

${contextTableSql}
${checkpointsTableSql}
-- A descriptor space: embedder, pooling and head. Only the active space is searched.
CREATE TABLE spaces (
  space_id INTEGER PRIMARY KEY,
  digest TEXT NOT NULL UNIQUE,
  dimension INTEGER NOT NULL,
  description TEXT NOT NULL,         -- JSON
  active INTEGER NOT NULL,
  ${checksumColumn('spaces')}
);

CREATE TABLE descriptors (
  label INTEGER PRIMARY KEY AUTOINCREMENT,
  space_id INTEGER NOT NULL REFERENCES spaces,
  track_id INTEGER NOT NULL REFERENCES tracks ON DELETE CASCADE,
  vector BLOB NOT NULL,              -- float32, little-endian, L2-normalised
  ${checksumColumn('descriptors')}
);
CREATE INDEX descriptors_track ON descriptors (track_id);
CREATE INDEX descriptors_space ON descriptors (space_id);

-- Changes that a vector index must apply. A label without a descriptor row is erased.
CREATE TABLE descriptor_changes (
  change INTEGER PRIMARY KEY AUTOINCREMENT,
  space_id INTEGER NOT NULL,
  label INTEGER NOT NULL,
  ${checksumColumn('descriptor_changes')}
);

CREATE TABLE identities (
  identity_id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL UNIQUE,
  row_count INTEGER NOT NULL DEFAULT 0, -- of reference_faces
  note TEXT,                         -- what people wrote about the name; NULL: nothing
  ${checksumColumn('identities')}
);

-- The enrolled faces of a name.
CREATE TABLE reference_faces (
  reference_id INTEGER PRIMARY KEY,
  identity_id INTEGER NOT NULL REFERENCES identities ON DELETE CASCADE,
  source TEXT NOT NULL,
  embedder TEXT NOT NULL,
  norm REAL NOT NULL,
  vector BLOB NOT NULL,              -- float16, not normalised
  quality REAL NOT NULL,
  picture_id INTEGER REFERENCES reference_pictures ON DELETE SET NULL, -- NULL: no picture was kept
  ${checksumColumn('reference_faces')}
);
CREATE INDEX reference_faces_identity ON reference_faces (identity_id);
CREATE INDEX reference_faces_picture ON reference_faces (picture_id);
${picturesTableSql}${aliasesTableSql}${correctionsTableSql}
-- Names and erasures, in order. Applied after the tracks whenever an archive is rebuilt.
${journalSql}
-- Forgotten clips: skipped when their file is found again.
CREATE TABLE forgotten_clips (
  clip_id TEXT PRIMARY KEY, at TEXT NOT NULL,
  ${checksumColumn('forgotten_clips')}
) WITHOUT ROWID;

-- Clips with a damaged row: processed again when their file is found. Deleting a clip deletes this row too.
CREATE TABLE damaged_clips (
  clip_id TEXT PRIMARY KEY, at TEXT NOT NULL,
  detail TEXT NOT NULL,              -- what of it is damaged, for people
  ${checksumColumn('damaged_clips')}
) WITHOUT ROWID;
${topicTablesSql}${peopleTablesSql}${unnamedErasedTableSql}${alertTablesSql}`
