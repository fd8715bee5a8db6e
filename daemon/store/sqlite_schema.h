#pragma once
// The tables of the SQLite store, as numbered steps: step n brings schema n-1 to n, each in one
// transaction with the new number. A step that was released is never altered; a new one is added.
//
// One table for all nouns, because the store does not know what records mean: a new noun is a new
// `kind`, not a migration. WITHOUT ROWID: the key is the row's only tree, so a Put writes one page.
// `checksum` covers kind, id and payload: SQLite's own check sees broken trees, not a flipped bit
// in a value.

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
};

}  // namespace berth::store
