CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL, crc INTEGER AS (row_checksum('meta', key, value)) STORED) WITHOUT ROWID;
CREATE TABLE roots (root_id INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE, crc INTEGER AS (row_checksum('roots', root_id, path)) STORED);
CREATE TABLE paths (
  root_id INTEGER NOT NULL REFERENCES roots,
  relative_path TEXT NOT NULL,
  clip_id TEXT,                      -- SHA-256 of the content; NULL where it could not be read
  device TEXT NOT NULL, inode TEXT NOT NULL, size_bytes INTEGER NOT NULL, mtime_ns TEXT NOT NULL,
  code TEXT, message TEXT,           -- why it failed; NULL where it did not
  ctime_ns TEXT,                     -- NULL where it was not noted, as before schema 4
  crc INTEGER AS (row_checksum('paths', root_id, relative_path, clip_id, device, inode, size_bytes, mtime_ns, code, message, ctime_ns)) STORED,
  PRIMARY KEY (root_id, relative_path)
) WITHOUT ROWID;
CREATE INDEX paths_clip ON paths (clip_id);
CREATE INDEX paths_inode ON paths (inode);
CREATE TABLE clips (
  clip_id TEXT PRIMARY KEY,
  size_bytes INTEGER NOT NULL,
  duration_s REAL, width_px INTEGER, height_px INTEGER, codec TEXT, container TEXT,
  added_at TEXT NOT NULL,
  left_out TEXT,                     -- JSON [sentence, ...]: what of it is not looked at, as further video streams; NULL: nothing
  crc INTEGER AS (row_checksum('clips', clip_id, size_bytes, duration_s, width_px, height_px, codec, container, added_at, left_out)) STORED
) WITHOUT ROWID;
CREATE TABLE runs (
  clip_id TEXT NOT NULL REFERENCES clips ON DELETE CASCADE,
  recipe TEXT NOT NULL,
  segments INTEGER NOT NULL,         -- how many there are; fixed when the clip is planned
  cuttable INTEGER NOT NULL,         -- 0 where the container has to be read in one pass
  state TEXT NOT NULL CHECK (state IN ('working', 'done', 'partial')),
  truncated INTEGER NOT NULL DEFAULT 0,
  crc INTEGER AS (row_checksum('runs', clip_id, recipe, segments, cuttable, state, truncated)) STORED,
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
  crc INTEGER AS (row_checksum('segments', clip_id, recipe, segment, start_s, end_s, state, frames, faces, truncated, code, message, gaps, row_count)) STORED,
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
  crc INTEGER AS (row_checksum('tracks', track_id, clip_id, recipe, segment, number, spans, samples, quality, provider)) STORED,
  UNIQUE (clip_id, recipe, segment, number),
  FOREIGN KEY (clip_id, recipe) REFERENCES runs ON DELETE CASCADE
);
CREATE TABLE faces (
  face_id INTEGER PRIMARY KEY,
  track_id INTEGER NOT NULL REFERENCES tracks ON DELETE CASCADE,
  time_s REAL NOT NULL,
  box TEXT NOT NULL,                 -- JSON [x1,y1,x2,y2], px of the displayed clip
  landmarks TEXT NOT NULL,           -- JSON [[x,y] x 5]
  detection_score REAL NOT NULL, quality REAL NOT NULL,
  crc INTEGER AS (row_checksum('faces', face_id, track_id, time_s, box, landmarks, detection_score, quality)) STORED
);
CREATE INDEX faces_track ON faces (track_id);
CREATE TABLE embeddings (
  face_id INTEGER NOT NULL REFERENCES faces ON DELETE CASCADE,
  embedder TEXT NOT NULL,            -- digest of the embedding recipe
  norm REAL NOT NULL,                -- of the raw vector
  vector BLOB NOT NULL,              -- float16, little-endian, not normalised
  crc INTEGER AS (row_checksum('embeddings', face_id, embedder, norm, vector)) STORED,
  PRIMARY KEY (face_id, embedder)
) WITHOUT ROWID;
CREATE TABLE thumbnails (
  track_id INTEGER PRIMARY KEY REFERENCES tracks ON DELETE CASCADE,
  jpeg BLOB NOT NULL,
  crc INTEGER AS (row_checksum('thumbnails', track_id, jpeg)) STORED
);
CREATE TABLE context_features (
  clip_id TEXT NOT NULL, recipe TEXT NOT NULL, segment INTEGER NOT NULL,
  encoder TEXT NOT NULL,             -- digest; the recipe in meta gives its name and dimension
  frames INTEGER NOT NULL,           -- that were encoded
  vector BLOB NOT NULL,              -- float16, little-endian: the mean of their L2-normalised vectors
  crc INTEGER AS (row_checksum('context_features', clip_id, recipe, segment, encoder, frames, vector)) STORED,
  PRIMARY KEY (clip_id, recipe, segment, encoder),
  FOREIGN KEY (clip_id, recipe) REFERENCES runs ON DELETE CASCADE
) WITHOUT ROWID;
CREATE TABLE checkpoints (
  clip_id TEXT NOT NULL, recipe TEXT NOT NULL, segment INTEGER NOT NULL,
  part INTEGER NOT NULL,             -- 0: the state, written over and over; the others are only added to
  bytes BLOB NOT NULL,
  crc INTEGER AS (row_checksum('checkpoints', clip_id, recipe, segment, part, bytes)) STORED,
  PRIMARY KEY (clip_id, recipe, segment, part),
  FOREIGN KEY (clip_id, recipe) REFERENCES runs ON DELETE CASCADE
);
CREATE TABLE spaces (
  space_id INTEGER PRIMARY KEY,
  digest TEXT NOT NULL UNIQUE,
  dimension INTEGER NOT NULL,
  description TEXT NOT NULL,         -- JSON
  active INTEGER NOT NULL,
  crc INTEGER AS (row_checksum('spaces', space_id, digest, dimension, description, active)) STORED
);
CREATE TABLE descriptors (
  label INTEGER PRIMARY KEY AUTOINCREMENT,
  space_id INTEGER NOT NULL REFERENCES spaces,
  track_id INTEGER NOT NULL REFERENCES tracks ON DELETE CASCADE,
  vector BLOB NOT NULL,              -- float32, little-endian, L2-normalised
  crc INTEGER AS (row_checksum('descriptors', label, space_id, track_id, vector)) STORED
);
CREATE INDEX descriptors_track ON descriptors (track_id);
CREATE INDEX descriptors_space ON descriptors (space_id);
CREATE TABLE descriptor_changes (
  change INTEGER PRIMARY KEY AUTOINCREMENT,
  space_id INTEGER NOT NULL,
  label INTEGER NOT NULL,
  crc INTEGER AS (row_checksum('descriptor_changes', change, space_id, label)) STORED
);
CREATE TABLE identities (
  identity_id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL UNIQUE,
  row_count INTEGER NOT NULL DEFAULT 0, -- of reference_faces
  note TEXT,                         -- what people wrote about the name; NULL: nothing
  crc INTEGER AS (row_checksum('identities', identity_id, name, row_count, note)) STORED
);
CREATE TABLE reference_faces (
  reference_id INTEGER PRIMARY KEY,
  identity_id INTEGER NOT NULL REFERENCES identities ON DELETE CASCADE,
  source TEXT NOT NULL,
  embedder TEXT NOT NULL,
  norm REAL NOT NULL,
  vector BLOB NOT NULL,              -- float16, not normalised
  quality REAL NOT NULL,
  picture_id INTEGER REFERENCES reference_pictures ON DELETE SET NULL, -- NULL: no picture was kept
  crc INTEGER AS (row_checksum('reference_faces', reference_id, identity_id, source, embedder, norm, vector, quality, picture_id)) STORED
);
CREATE INDEX reference_faces_identity ON reference_faces (identity_id);
CREATE INDEX reference_faces_picture ON reference_faces (picture_id);
CREATE TABLE reference_pictures (
  picture_id INTEGER PRIMARY KEY,
  identity_id INTEGER NOT NULL REFERENCES identities ON DELETE CASCADE,
  jpeg BLOB NOT NULL,
  box TEXT NOT NULL,                 -- JSON [x1,y1,x2,y2], px of the picture
  landmarks TEXT NOT NULL,           -- JSON [[x,y] x 5]
  crc INTEGER AS (row_checksum('reference_pictures', picture_id, identity_id, jpeg, box, landmarks)) STORED
);
CREATE INDEX reference_pictures_identity ON reference_pictures (identity_id);
CREATE TABLE identity_aliases (
  alias TEXT PRIMARY KEY,
  identity_id INTEGER NOT NULL REFERENCES identities ON DELETE CASCADE,
  crc INTEGER AS (row_checksum('identity_aliases', alias, identity_id)) STORED
) WITHOUT ROWID;
CREATE INDEX identity_aliases_identity ON identity_aliases (identity_id);
CREATE TABLE corrections (
  correction_id INTEGER PRIMARY KEY,
  identity_id INTEGER NOT NULL REFERENCES identities ON DELETE CASCADE,
  clip_id TEXT NOT NULL,             -- the archive need not have it
  place TEXT NOT NULL,               -- JSON: where the track is; see track-place.ts
  verdict TEXT NOT NULL CHECK (verdict IN ('confirmed', 'rejected')),
  at TEXT NOT NULL,
  crc INTEGER AS (row_checksum('corrections', correction_id, identity_id, clip_id, place, verdict, at)) STORED
);
CREATE INDEX corrections_identity ON corrections (identity_id);
CREATE INDEX corrections_clip ON corrections (clip_id);
CREATE TABLE journal (
  entry INTEGER PRIMARY KEY AUTOINCREMENT,
  at TEXT NOT NULL,
  action TEXT NOT NULL CHECK (action IN
    ('enroll', 'forget-name', 'forget-clip', 'remember-clip', 'correct', 'describe-name')),
  subject TEXT NOT NULL,             -- JSON; no face data
  crc INTEGER AS (row_checksum('journal', entry, at, action, subject)) STORED
);
CREATE TABLE forgotten_clips (
  clip_id TEXT PRIMARY KEY, at TEXT NOT NULL,
  crc INTEGER AS (row_checksum('forgotten_clips', clip_id, at)) STORED
) WITHOUT ROWID;
CREATE TABLE damaged_clips (
  clip_id TEXT PRIMARY KEY, at TEXT NOT NULL,
  detail TEXT NOT NULL,              -- what of it is damaged, for people
  crc INTEGER AS (row_checksum('damaged_clips', clip_id, at, detail)) STORED
) WITHOUT ROWID;
CREATE TABLE topic_offsets (
  topic TEXT NOT NULL, partition INTEGER NOT NULL,
  next_offset TEXT NOT NULL,         -- 64 bits
  last_digest TEXT NOT NULL,         -- SHA-256 of the message before it
  crc INTEGER AS (row_checksum('topic_offsets', topic, partition, next_offset, last_digest)) STORED,
  PRIMARY KEY (topic, partition)
) WITHOUT ROWID;
CREATE TABLE pending_parts (
  clip_id TEXT NOT NULL, segment INTEGER NOT NULL, attempt TEXT NOT NULL, part INTEGER NOT NULL,
  message BLOB NOT NULL,
  crc INTEGER AS (row_checksum('pending_parts', clip_id, segment, attempt, part, message)) STORED,
  PRIMARY KEY (clip_id, segment, attempt, part)
) WITHOUT ROWID;
CREATE TABLE outbox (
  entry INTEGER PRIMARY KEY AUTOINCREMENT,
  topic TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL,
  crc INTEGER AS (row_checksum('outbox', entry, topic, key, value)) STORED
);
CREATE TABLE people (
  person_id INTEGER PRIMARY KEY AUTOINCREMENT,
  identity_id INTEGER REFERENCES identities ON DELETE SET NULL, -- the name; NULL: none
  hidden INTEGER NOT NULL DEFAULT 0,
  crc INTEGER AS (row_checksum('people', person_id, identity_id, hidden)) STORED
);
CREATE INDEX people_identity ON people (identity_id);
CREATE TABLE people_tracks (
  track_id INTEGER PRIMARY KEY REFERENCES tracks ON DELETE CASCADE,
  person_id INTEGER NOT NULL REFERENCES people ON DELETE CASCADE,
  crc INTEGER AS (row_checksum('people_tracks', track_id, person_id)) STORED
);
CREATE INDEX people_tracks_person ON people_tracks (person_id);
CREATE TABLE people_anchors (
  anchor_id INTEGER PRIMARY KEY,
  clip_id TEXT NOT NULL, recipe TEXT NOT NULL, segment INTEGER NOT NULL, number INTEGER NOT NULL,
  spans TEXT NOT NULL,               -- as in tracks
  box TEXT,                          -- of its best face, as in faces
  track_id INTEGER REFERENCES tracks ON DELETE SET NULL, -- NULL: its clip is processed again
  person_id INTEGER REFERENCES people ON DELETE CASCADE, -- whose track it was, while track_id is NULL
  crc INTEGER AS (row_checksum('people_anchors', anchor_id, clip_id, recipe, segment, number, spans, box, track_id, person_id)) STORED,
  UNIQUE (clip_id, recipe, segment, number)
);
CREATE INDEX people_anchors_track ON people_anchors (track_id);
CREATE INDEX people_anchors_person ON people_anchors (person_id);
CREATE TABLE people_changes (
  change_id INTEGER PRIMARY KEY AUTOINCREMENT,
  at TEXT NOT NULL,
  action TEXT NOT NULL CHECK (action IN ('group', 'merge', 'split', 'name', 'hide', 'show')),
  undone INTEGER NOT NULL DEFAULT 0,
  crc INTEGER AS (row_checksum('people_changes', change_id, at, action, undone)) STORED
);
CREATE TABLE people_links (
  change_id INTEGER NOT NULL REFERENCES people_changes ON DELETE CASCADE,
  a INTEGER NOT NULL REFERENCES people_anchors ON DELETE CASCADE,
  b INTEGER NOT NULL REFERENCES people_anchors ON DELETE CASCADE,
  kind TEXT NOT NULL CHECK (kind IN ('must', 'cannot')),
  crc INTEGER AS (row_checksum('people_links', change_id, a, b, kind)) STORED,
  PRIMARY KEY (change_id, a, b)
) WITHOUT ROWID;
CREATE INDEX people_links_a ON people_links (a);
CREATE INDEX people_links_b ON people_links (b);
CREATE TABLE people_before (
  change_id INTEGER NOT NULL REFERENCES people_changes ON DELETE CASCADE,
  person_id INTEGER NOT NULL,
  existed INTEGER NOT NULL,          -- 0: the change made this person
  identity_id INTEGER REFERENCES identities ON DELETE SET NULL,
  hidden INTEGER NOT NULL,
  crc INTEGER AS (row_checksum('people_before', change_id, person_id, existed, identity_id, hidden)) STORED,
  PRIMARY KEY (change_id, person_id)
) WITHOUT ROWID;
CREATE INDEX people_before_identity ON people_before (identity_id);
CREATE TABLE people_moves (
  change_id INTEGER NOT NULL REFERENCES people_changes ON DELETE CASCADE,
  anchor_id INTEGER NOT NULL REFERENCES people_anchors ON DELETE CASCADE,
  person_id INTEGER NOT NULL,
  crc INTEGER AS (row_checksum('people_moves', change_id, anchor_id, person_id)) STORED,
  PRIMARY KEY (change_id, anchor_id)
) WITHOUT ROWID;
CREATE INDEX people_moves_anchor ON people_moves (anchor_id);
CREATE TABLE people_enrolled (
  change_id INTEGER NOT NULL REFERENCES people_changes ON DELETE CASCADE,
  identity_id INTEGER NOT NULL REFERENCES identities ON DELETE CASCADE,
  clip_id TEXT NOT NULL,
  source TEXT NOT NULL,              -- as in reference_faces
  crc INTEGER AS (row_checksum('people_enrolled', change_id, identity_id, clip_id, source)) STORED,
  PRIMARY KEY (change_id, clip_id)
) WITHOUT ROWID;
CREATE INDEX people_enrolled_clip ON people_enrolled (clip_id);
CREATE INDEX people_enrolled_identity ON people_enrolled (identity_id);
CREATE TABLE unnamed_erased (
  clip_id TEXT PRIMARY KEY, at TEXT NOT NULL,
  tracks INTEGER NOT NULL,           -- how many were erased, in all
  last_track INTEGER NOT NULL,       -- the greatest id of a track at that time
  crc INTEGER AS (row_checksum('unnamed_erased', clip_id, at, tracks, last_track)) STORED
) WITHOUT ROWID;
CREATE TABLE alerts (
  clip_id TEXT NOT NULL, name TEXT NOT NULL, at TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('new', 'waiting', 'told')), -- waiting: told here, to be posted to the webhook
  seen TEXT NOT NULL,                -- JSON {path, score, ranges}; {} after the last of it
  crc INTEGER AS (row_checksum('alerts', clip_id, name, at, state, seen)) STORED,
  PRIMARY KEY (clip_id, name)
) WITHOUT ROWID;
CREATE TABLE alerts_due (clip_id TEXT PRIMARY KEY, crc INTEGER AS (row_checksum('alerts_due', clip_id)) STORED) WITHOUT ROWID;
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
CREATE TRIGGER people_track_leaves BEFORE DELETE ON tracks
WHEN EXISTS (SELECT 1 FROM people_tracks WHERE track_id = OLD.track_id) BEGIN
  INSERT INTO people_anchors (clip_id, recipe, segment, number, spans, box, person_id)
  SELECT OLD.clip_id, OLD.recipe, OLD.segment, OLD.number, OLD.spans,
    (SELECT box FROM faces WHERE track_id = OLD.track_id ORDER BY quality DESC LIMIT 1), person_id
  FROM people_tracks WHERE track_id = OLD.track_id
  ON CONFLICT (clip_id, recipe, segment, number) DO UPDATE SET person_id = excluded.person_id;
END;
CREATE TRIGGER people_track_left AFTER DELETE ON people_tracks BEGIN
  DELETE FROM people WHERE person_id = OLD.person_id AND NOT EXISTS (SELECT 1 FROM people_tracks t WHERE t.person_id = OLD.person_id)
    AND NOT EXISTS (SELECT 1 FROM people_anchors a WHERE a.person_id = OLD.person_id);
END;
CREATE TRIGGER people_track_moved AFTER UPDATE OF person_id ON people_tracks BEGIN
  DELETE FROM people WHERE person_id = OLD.person_id AND NOT EXISTS (SELECT 1 FROM people_tracks t WHERE t.person_id = OLD.person_id)
    AND NOT EXISTS (SELECT 1 FROM people_anchors a WHERE a.person_id = OLD.person_id);
END;
CREATE TRIGGER people_anchor_left AFTER DELETE ON people_anchors WHEN OLD.person_id IS NOT NULL BEGIN
  DELETE FROM people WHERE person_id = OLD.person_id AND NOT EXISTS (SELECT 1 FROM people_tracks t WHERE t.person_id = OLD.person_id)
    AND NOT EXISTS (SELECT 1 FROM people_anchors a WHERE a.person_id = OLD.person_id);
END;
CREATE TRIGGER people_anchor_found AFTER UPDATE OF person_id ON people_anchors WHEN OLD.person_id IS NOT NULL BEGIN
  DELETE FROM people WHERE person_id = OLD.person_id AND NOT EXISTS (SELECT 1 FROM people_tracks t WHERE t.person_id = OLD.person_id)
    AND NOT EXISTS (SELECT 1 FROM people_anchors a WHERE a.person_id = OLD.person_id);
END;
CREATE TRIGGER people_clip_forgotten AFTER INSERT ON forgotten_clips BEGIN
  DELETE FROM people_anchors WHERE clip_id = NEW.clip_id;
  DELETE FROM people_enrolled WHERE clip_id = NEW.clip_id;
END;
CREATE TRIGGER alerted_name_erased AFTER DELETE ON identities BEGIN
  DELETE FROM alerts WHERE name = OLD.name;
END;
