// The book's tables. The ledger (`blob`) can be rebuilt from the directory, everything else is learned again.

/** In `user_version`. A book of another version is moved aside and begun anew. */
export const version = 2;

export const schema = `
  CREATE TABLE blob (
    digest TEXT PRIMARY KEY,
    size INTEGER NOT NULL,
    used_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX blob_by_use ON blob (used_at, digest, size);

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

export const pragmas = `
  PRAGMA locking_mode = EXCLUSIVE;
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
`;
