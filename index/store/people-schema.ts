import { checksumColumn } from './checksum.js'

/**
 * People without labels: groups of tracks, corrections, and a log of changes. Nothing in these tables is face data.
 * What concerns a clip names it by an anchor: where its track was. So a correction survives when a clip is processed
 * again, and disappears when the clip is forgotten.
 */
export const peopleTablesSql = `
-- A person: a group of tracks. Ids are never reused.
CREATE TABLE people (
  person_id INTEGER PRIMARY KEY AUTOINCREMENT,
  identity_id INTEGER REFERENCES identities ON DELETE SET NULL, -- the name; NULL: none
  hidden INTEGER NOT NULL DEFAULT 0,
  ${checksumColumn('people')}
);
CREATE INDEX people_identity ON people (identity_id);

CREATE TABLE people_tracks (
  track_id INTEGER PRIMARY KEY REFERENCES tracks ON DELETE CASCADE,
  person_id INTEGER NOT NULL REFERENCES people ON DELETE CASCADE,
  ${checksumColumn('people_tracks')}
);
CREATE INDEX people_tracks_person ON people_tracks (person_id);

-- A track that a change names, by its place.
CREATE TABLE people_anchors (
  anchor_id INTEGER PRIMARY KEY,
  clip_id TEXT NOT NULL, recipe TEXT NOT NULL, segment INTEGER NOT NULL, number INTEGER NOT NULL,
  spans TEXT NOT NULL,               -- as in tracks
  box TEXT,                          -- of its best face, as in faces
  track_id INTEGER REFERENCES tracks ON DELETE SET NULL, -- NULL: its clip is processed again
  person_id INTEGER REFERENCES people ON DELETE CASCADE, -- whose track it was, while track_id is NULL
  ${checksumColumn('people_anchors')},
  UNIQUE (clip_id, recipe, segment, number)
);
CREATE INDEX people_anchors_track ON people_anchors (track_id);
CREATE INDEX people_anchors_person ON people_anchors (person_id);

-- The log of changes.
CREATE TABLE people_changes (
  change_id INTEGER PRIMARY KEY AUTOINCREMENT,
  at TEXT NOT NULL,
  action TEXT NOT NULL CHECK (action IN ('group', 'merge', 'split', 'name', 'hide', 'show')),
  undone INTEGER NOT NULL DEFAULT 0,
  ${checksumColumn('people_changes')}
);

-- Corrections: two tracks show the same person, or they do not.
CREATE TABLE people_links (
  change_id INTEGER NOT NULL REFERENCES people_changes ON DELETE CASCADE,
  a INTEGER NOT NULL REFERENCES people_anchors ON DELETE CASCADE,
  b INTEGER NOT NULL REFERENCES people_anchors ON DELETE CASCADE,
  kind TEXT NOT NULL CHECK (kind IN ('must', 'cannot')),
  ${checksumColumn('people_links')},
  PRIMARY KEY (change_id, a, b)
) WITHOUT ROWID;
CREATE INDEX people_links_a ON people_links (a);
CREATE INDEX people_links_b ON people_links (b);

-- The people whom a change concerned, as they were before.
CREATE TABLE people_before (
  change_id INTEGER NOT NULL REFERENCES people_changes ON DELETE CASCADE,
  person_id INTEGER NOT NULL,
  existed INTEGER NOT NULL,          -- 0: the change made this person
  identity_id INTEGER REFERENCES identities ON DELETE SET NULL,
  hidden INTEGER NOT NULL,
  ${checksumColumn('people_before')},
  PRIMARY KEY (change_id, person_id)
) WITHOUT ROWID;
CREATE INDEX people_before_identity ON people_before (identity_id);

-- Whose tracks those were that a change moved.
CREATE TABLE people_moves (
  change_id INTEGER NOT NULL REFERENCES people_changes ON DELETE CASCADE,
  anchor_id INTEGER NOT NULL REFERENCES people_anchors ON DELETE CASCADE,
  person_id INTEGER NOT NULL,
  ${checksumColumn('people_moves')},
  PRIMARY KEY (change_id, anchor_id)
) WITHOUT ROWID;
CREATE INDEX people_moves_anchor ON people_moves (anchor_id);

-- The clips whose faces a change added to a name.
CREATE TABLE people_enrolled (
  change_id INTEGER NOT NULL REFERENCES people_changes ON DELETE CASCADE,
  identity_id INTEGER NOT NULL REFERENCES identities ON DELETE CASCADE,
  clip_id TEXT NOT NULL,
  source TEXT NOT NULL,              -- as in reference_faces
  ${checksumColumn('people_enrolled')},
  PRIMARY KEY (change_id, clip_id)
) WITHOUT ROWID;
CREATE INDEX people_enrolled_clip ON people_enrolled (clip_id);
CREATE INDEX people_enrolled_identity ON people_enrolled (identity_id);
`

const isEmptySql = (person: string) =>
  `NOT EXISTS (SELECT 1 FROM people_tracks t WHERE t.person_id = ${person})
    AND NOT EXISTS (SELECT 1 FROM people_anchors a WHERE a.person_id = ${person})`

/**
 * A track that is deleted leaves its place, so that its person gets it back when the clip is processed again. A person
 * without tracks and places disappears. Forgetting a clip deletes its places, and with them what the log says of it.
 */
export const peopleTriggersSql = `
CREATE TRIGGER people_track_leaves BEFORE DELETE ON tracks
WHEN EXISTS (SELECT 1 FROM people_tracks WHERE track_id = OLD.track_id) BEGIN
  INSERT INTO people_anchors (clip_id, recipe, segment, number, spans, box, person_id)
  SELECT OLD.clip_id, OLD.recipe, OLD.segment, OLD.number, OLD.spans,
    (SELECT box FROM faces WHERE track_id = OLD.track_id ORDER BY quality DESC LIMIT 1), person_id
  FROM people_tracks WHERE track_id = OLD.track_id
  ON CONFLICT (clip_id, recipe, segment, number) DO UPDATE SET person_id = excluded.person_id;
END;
CREATE TRIGGER people_track_left AFTER DELETE ON people_tracks BEGIN
  DELETE FROM people WHERE person_id = OLD.person_id AND ${isEmptySql('OLD.person_id')};
END;
CREATE TRIGGER people_track_moved AFTER UPDATE OF person_id ON people_tracks BEGIN
  DELETE FROM people WHERE person_id = OLD.person_id AND ${isEmptySql('OLD.person_id')};
END;
CREATE TRIGGER people_anchor_left AFTER DELETE ON people_anchors WHEN OLD.person_id IS NOT NULL BEGIN
  DELETE FROM people WHERE person_id = OLD.person_id AND ${isEmptySql('OLD.person_id')};
END;
CREATE TRIGGER people_anchor_found AFTER UPDATE OF person_id ON people_anchors WHEN OLD.person_id IS NOT NULL BEGIN
  DELETE FROM people WHERE person_id = OLD.person_id AND ${isEmptySql('OLD.person_id')};
END;
CREATE TRIGGER people_clip_forgotten AFTER INSERT ON forgotten_clips BEGIN
  DELETE FROM people_anchors WHERE clip_id = NEW.clip_id;
  DELETE FROM people_enrolled WHERE clip_id = NEW.clip_id;
END;
`
