#pragma once
// JSON as berthctl needs it: read by path, shown as text, written member by member. Boost.JSON
// stays inside document.cc.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "berth/base/result.h"

namespace berth::ctl {

// Immutable; a copy shares the tree.
class Document {
 public:
  // Errors: corrupt, subject "answer".
  [[nodiscard]] static Result<Document> parse(std::string_view text);

  // `path` is "used.vcpus". What is not there, or null, reads as empty or absent.
  [[nodiscard]] std::string text(
      std::string_view path) const;  // lists joined by ",", objects as k=v
  [[nodiscard]] std::optional<std::int64_t> number(std::string_view path) const;
  [[nodiscard]] std::vector<Document> items(std::string_view path) const;
  // Every leaf: ("used.vcpus", "3"), in the document's order.
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> leaves() const;
  [[nodiscard]] std::string dump() const;  // one line

 private:
  struct Tree;
  explicit Document(std::shared_ptr<Tree const> tree, void const* at)
      : tree_(std::move(tree)), at_(at) {}
  std::shared_ptr<Tree const> tree_;
  void const* at_;  // inside the tree
};

struct Member {
  using Value = std::variant<std::string, std::int64_t, bool, std::map<std::string, std::string>,
                             std::map<std::string, std::int64_t>>;
  std::string name;
  Value value;
};
// `raw_members`: members already written, "\"enabled\":true"; may be empty.
[[nodiscard]] std::string object_text(std::vector<Member> const& members,
                                      std::string_view raw_members);
// {"items": [...], "next": null} of all pages.
[[nodiscard]] std::string list_text(std::vector<Document> const& items);

}  // namespace berth::ctl
