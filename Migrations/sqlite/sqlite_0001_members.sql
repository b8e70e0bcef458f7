-- The processes that share the consumers of a file of read models. They are in a file of their own, so that a long
-- transaction on the read models does not delay a renewal. The file may be deleted while no process is running.

CREATE TABLE disco_members (
    id TEXT NOT NULL PRIMARY KEY,
    host TEXT NOT NULL,
    build TEXT NOT NULL,
    consumers TEXT NOT NULL,              -- JSON: the names of those it can run
    expires_at INTEGER NOT NULL           -- microseconds since 1970
) STRICT, WITHOUT ROWID;
