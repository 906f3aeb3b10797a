// The book's tables. The ledger (`blob`) can be rebuilt from the directory, everything else is learned again.

/** In `user_version`. A book of a version that is not known is moved aside and begun anew. */
export const version = 3;

export const schema = `
  CREATE TABLE blob (
    digest TEXT PRIMARY KEY,
    size INTEGER NOT NULL,
    used_at INTEGER NOT NULL,
    -- When it was last known to be what it is called; 0: never.
    checked_at INTEGER NOT NULL DEFAULT 0
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX blob_by_use ON blob (used_at, digest, size);
  CREATE INDEX blob_by_check ON blob (checked_at, digest);

  -- Kept, never counted: a start must not scan.
  CREATE TABLE total (bytes INTEGER NOT NULL, blobs INTEGER NOT NULL) STRICT;
  INSERT INTO total VALUES (0, 0);
  CREATE TRIGGER blob_added AFTER INSERT ON blob BEGIN
    UPDATE total SET bytes = bytes + new.size, blobs = blobs + 1;
  END;
  CREATE TRIGGER blob_dropped AFTER DELETE ON blob BEGIN
    UPDATE total SET bytes = bytes - old.size, blobs = blobs - 1;
  END;
  CREATE TRIGGER blob_resized AFTER UPDATE OF size ON blob BEGIN
    UPDATE total SET bytes = bytes - old.size + new.size;
  END;

  -- 1 from a clean stop to the next start: the ledger is then known to be what is on disk.
  CREATE TABLE stop (clean INTEGER NOT NULL) STRICT;
  INSERT INTO stop VALUES (0);

  CREATE TABLE repository (id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE) STRICT;
  CREATE TABLE pointer (
    repository INTEGER NOT NULL,
    name TEXT NOT NULL,
    digest TEXT NOT NULL,
    media_type TEXT NOT NULL,
    size INTEGER NOT NULL,
    checked_at INTEGER NOT NULL,
    PRIMARY KEY (repository, name)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE standing (
    repository INTEGER NOT NULL,
    digest TEXT NOT NULL,
    media_type TEXT NOT NULL,
    size INTEGER NOT NULL,
    PRIMARY KEY (repository, digest)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE verdict (repository INTEGER PRIMARY KEY, as_of INTEGER NOT NULL) STRICT;

  PRAGMA user_version = ${version};
`;

/** Brings a book of version 2 to what it would be now. */
export const fromVersion2 = `
  ALTER TABLE blob ADD COLUMN checked_at INTEGER NOT NULL DEFAULT 0;
  CREATE INDEX blob_by_check ON blob (checked_at, digest);
  PRAGMA user_version = ${version};
`;

export const pragmas = `
  PRAGMA locking_mode = EXCLUSIVE;
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
`;
