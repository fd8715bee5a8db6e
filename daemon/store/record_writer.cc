#include "daemon/store/record_writer.h"

#include <algorithm>
#include <ranges>

#include "daemon/store/checksum.h"

namespace berth::store {

namespace {

std::string name_of(std::int64_t kind, std::string_view id) {
  std::string out(1, static_cast<char>(kind));
  return out.append(id);
}

std::int64_t number_of(wire::RecordKind kind) {
  return static_cast<std::int64_t>(kind);
}

}  // namespace

Result<void> RecordWriter::prepare(Connection& connection) {
  TRY(update_.prepare(connection, "UPDATE record SET payload=?2, checksum=?3 WHERE number=?1"));
  TRY(insert_.prepare(connection,
                      "INSERT INTO record (number, kind, id, payload, checksum) "
                      "VALUES (?1, ?2, ?3, ?4, ?5)"));
  TRY(erase_.prepare(connection, "DELETE FROM record WHERE number=?1"));
  TRY(append_.prepare(connection,
                      "INSERT INTO audit (number, payload, checksum) VALUES (?1, ?2, ?3)"));
  Statement rows;
  TRY(rows.prepare(connection, "SELECT number, kind, id FROM record"));
  while (TRY(rows.step())) {
    std::int64_t const number = rows.integer(0);
    bool const is_new = numbers_.emplace(name_of(rows.integer(1), rows.bytes(2)), number).second;
    if (!is_new) {
      return Error{Code::corrupt, "store",
                   connection.file() + ": wanted one row for each record, found two for " +
                       std::string(rows.bytes(2)) + "; restore it from a backup"};
    }
    newest_ = std::max(newest_, number);
  }
  return {};
}

Result<int> RecordWriter::write(core::Change const& change) {
  TRY(wire::well_formed(change));
  wire::RecordKey const place = wire::key(change);
  return wire::is_put(change) ? put(change, place) : remove(place);
}

Result<int> RecordWriter::put(core::Change const& change, wire::RecordKey const& place) {
  std::string const payload = wire::encode(change);
  std::int64_t const sum = checksum_2(number_of(place.kind), place.id, payload);
  if (auto const* audit = std::get_if<core::AppendAudit>(&change)) {
    append_.bind(1, static_cast<std::int64_t>(audit->record.number));
    append_.bind_blob(2, payload);
    append_.bind(3, sum);
    return append_.run();
  }
  std::string name = name_of(number_of(place.kind), place.id);
  auto const known = numbers_.find(name);
  if (known != numbers_.end()) {
    update_.bind(1, known->second);
    update_.bind_blob(2, payload);
    update_.bind(3, sum);
    int const replaced = TRY(update_.run());
    ENSURE(replaced == 1);
    return 0;
  }
  insert_.bind(1, newest_ + 1);
  insert_.bind(2, number_of(place.kind));
  insert_.bind_text(3, place.id);
  insert_.bind_blob(4, payload);
  insert_.bind(5, sum);
  int const added = TRY(insert_.run());
  ++newest_;
  steps_.emplace_back(name, 0);
  numbers_.emplace(std::move(name), newest_);
  return added;
}

Result<int> RecordWriter::remove(wire::RecordKey const& place) {
  std::string name = name_of(number_of(place.kind), place.id);
  auto const known = numbers_.find(name);
  if (known == numbers_.end()) return 0;
  erase_.bind(1, known->second);
  int const erased = TRY(erase_.run());
  steps_.emplace_back(std::move(name), known->second);
  numbers_.erase(known);
  return -erased;
}

void RecordWriter::undo() {
  for (auto& [name, number] : steps_ | std::views::reverse) {
    if (number == 0) {
      numbers_.erase(name);
    } else {
      numbers_[name] = number;
    }
  }
  steps_.clear();
}

}  // namespace berth::store
