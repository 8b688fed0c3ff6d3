/** Schema of the result database. A migration is never edited once released; add the next one. */
export const migrations: readonly string[] = [
  /* sql */ `
  CREATE TABLE generation (
    key           BLOB PRIMARY KEY, -- sha256 of everything the sample depends on
    model         TEXT NOT NULL,    -- sha256 of the GGUF
    seed          INTEGER NOT NULL,
    sample_index  INTEGER NOT NULL,
    text          TEXT NOT NULL,
    tokens        BLOB NOT NULL,    -- int32 little-endian
    logprobs      BLOB NOT NULL,    -- float32 little-endian
    finish        TEXT NOT NULL,
    created_at    INTEGER NOT NULL  -- Unix seconds
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE verdict (
    key           BLOB PRIMARY KEY,
    verifier      TEXT NOT NULL,
    verdict       TEXT NOT NULL CHECK (verdict IN ('pass', 'fail', 'unknown')),
    programs      TEXT NOT NULL,    -- JSON [{code, status, stdout}]
    created_at    INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE score (
    key           BLOB PRIMARY KEY,
    reward_model  TEXT NOT NULL,
    value         REAL NOT NULL,
    created_at    INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE file_hash (
    path          TEXT PRIMARY KEY,
    size          INTEGER NOT NULL,
    modified_ns   TEXT NOT NULL,    -- 64-bit, beyond a JavaScript number
    sha256        TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  `,
  /* sql */ `
  CREATE TABLE kv_costs (
    key           BLOB PRIMARY KEY, -- sha256 of engine build, device and model
    costs         TEXT NOT NULL,    -- JSON, seconds
    created_at    INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  `,
  /* sql */ `
  ALTER TABLE verdict ADD COLUMN evidence TEXT; -- JSON {passages?, checks?, note?}, NULL where there is none
  `,
  // What 0.1.0 kept is let go: its keys left out some of what results depend on, and named its build of the engine, so
  // that nothing could be found by them again.
  /* sql */ `
  DROP TABLE generation;
  DROP TABLE verdict;
  DROP TABLE score;
  DROP TABLE file_hash;
  DROP TABLE kv_costs;
  CREATE TABLE remembered (
    key           BLOB PRIMARY KEY,  -- sha256 of everything the value was computed from
    stage         TEXT NOT NULL,     -- what computed it
    value         BLOB NOT NULL,     -- canonical.ts
    digest        BLOB NOT NULL,     -- sha256 of key and value
    times         INTEGER NOT NULL,  -- how often it came out, where that is in doubt; 0 where it is not
    computed_at   INTEGER NOT NULL,  -- Unix seconds
    used_at       INTEGER NOT NULL   -- Unix seconds, to within an hour
  ) STRICT;
  CREATE INDEX remembered_used ON remembered (used_at);
  `,
];
