#pragma once
// The tables of the SQLite store, as numbered steps: step n brings schema n-1 to n, each in one
// transaction with the new number. A step that was released is never altered; a new one is added.
//
// One table for all nouns, because the store does not know what records mean: a new noun is a new
// `kind`, not a migration. `checksum` covers kind, id and payload, see checksum.h.

#include <array>

namespace berth::store {

// "Bert": tells our files from other SQLite files.
inline constexpr int kSqliteApplicationId = 0x42657274;

inline constexpr std::array kSqliteSchemaSteps = {
    // 1
    R"(CREATE TABLE record (
         kind INTEGER NOT NULL,      -- wire::RecordKind
         id TEXT NOT NULL,           -- wire::RecordKey::id
         payload BLOB NOT NULL,      -- proto/record/v1, Record
         checksum INTEGER NOT NULL,
         PRIMARY KEY (kind, id)
       ) STRICT, WITHOUT ROWID;
       CREATE TABLE audit (
         number INTEGER PRIMARY KEY,
         payload BLOB NOT NULL,
         checksum INTEGER NOT NULL
       ) STRICT;)",
    // 2: rows in the order in which they came, see record_writer.h, and sums that are quicker to
    // make. What had a wrong sum gets a wrong one again: moving must not make damage look sound.
    R"(CREATE TABLE record_2 (
         number INTEGER PRIMARY KEY, -- never used twice while the store is open
         kind INTEGER NOT NULL,
         id TEXT NOT NULL,
         payload BLOB NOT NULL,
         checksum INTEGER NOT NULL   -- checksum_2
       ) STRICT;
       INSERT INTO record_2 (kind, id, payload, checksum)
         SELECT kind, id, payload, moved_checksum(kind, id, payload, checksum) FROM record
         ORDER BY kind, id;
       DROP TABLE record;
       ALTER TABLE record_2 RENAME TO record;
       UPDATE audit SET checksum = moved_checksum(21, CAST(number AS TEXT), payload, checksum);)",
};

}  // namespace berth::store
