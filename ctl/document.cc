#include "ctl/document.h"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <boost/json/value_from.hpp>

namespace berth::ctl {
namespace {

namespace json = boost::json;

json::value const* find(json::value const* at, std::string_view path) {
  while (!path.empty()) {
    std::size_t const dot = std::min(path.find('.'), path.size());
    if (!at->is_object()) return nullptr;
    at = at->get_object().if_contains(json::string_view(path.substr(0, dot)));
    if (at == nullptr) return nullptr;
    path.remove_prefix(std::min(dot + 1, path.size()));
  }
  return at;
}

std::string shown(json::value const& value) {
  switch (value.kind()) {
    case json::kind::null: return "";
    case json::kind::string: return std::string(value.get_string());
    case json::kind::array: {
      std::string out;
      for (json::value const& item : value.get_array())
        out += (out.empty() ? "" : ",") + shown(item);
      return out;
    }
    case json::kind::object: {
      std::string out;
      for (auto const& [key, item] : value.get_object())
        out += (out.empty() ? "" : ",") + std::string(key) + "=" + shown(item);
      return out;
    }
    case json::kind::bool_:
    case json::kind::int64:
    case json::kind::uint64:
    case json::kind::double_: break;
  }
  return json::serialize(value);
}

void add_leaves(std::vector<std::pair<std::string, std::string>>& out, std::string const& prefix,
                json::value const& value) {
  if (!value.is_object()) {
    out.emplace_back(prefix, shown(value));
    return;
  }
  for (auto const& [key, item] : value.get_object()) {
    add_leaves(out, prefix.empty() ? std::string(key) : prefix + "." + std::string(key), item);
  }
}

json::value const* value_at(void const* at) {
  return static_cast<json::value const*>(at);
}

}  // namespace

struct Document::Tree {
  json::value root;
};

Result<Document> Document::parse(std::string_view text) {
  constexpr std::size_t kDepthMax = 32;
  json::parse_options options;
  options.max_depth = kDepthMax;
  boost::system::error_code code;
  try {
    json::value root = json::parse(json::string_view(text), code, {}, options);
    if (code)
      return Error{Code::corrupt, "answer", "the daemon's answer is not JSON: " + code.message()};
    auto tree = std::make_shared<Tree>(Tree{.root = std::move(root)});
    void const* at = &tree->root;
    return Document(std::move(tree), at);
  } catch (std::exception const& e) {
    return Error{Code::corrupt, "answer",
                 std::string("the daemon's answer is not JSON: ") + e.what()};
  }
}

std::string Document::text(std::string_view path) const {
  json::value const* found = find(value_at(at_), path);
  return found == nullptr ? "" : shown(*found);
}

std::optional<std::int64_t> Document::number(std::string_view path) const {
  json::value const* found = find(value_at(at_), path);
  if (found == nullptr || !found->is_int64()) return std::nullopt;
  return found->get_int64();
}

std::vector<Document> Document::items(std::string_view path) const {
  std::vector<Document> out;
  json::value const* found = find(value_at(at_), path);
  if (found == nullptr || !found->is_array()) return out;
  for (json::value const& item : found->get_array()) out.push_back(Document(tree_, &item));
  return out;
}

std::vector<std::pair<std::string, std::string>> Document::leaves() const {
  std::vector<std::pair<std::string, std::string>> out;
  add_leaves(out, "", *value_at(at_));
  return out;
}

std::string Document::dump() const {
  return json::serialize(*value_at(at_));
}

std::string object_text(std::vector<Member> const& members, std::string_view raw_members) {
  json::object out;
  for (Member const& member : members) {
    std::visit([&](auto const& value) { out[member.name] = json::value_from(value); },
               member.value);
  }
  std::string text = json::serialize(out);
  if (!raw_members.empty()) {
    text.pop_back();
    text += (members.empty() ? "" : ",") + std::string(raw_members) + "}";
  }
  return text;
}

std::string list_text(std::vector<Document> const& items) {
  std::string out = R"({"items":[)";
  for (std::size_t i = 0; i < items.size(); ++i) out += (i == 0 ? "" : ",") + items[i].dump();
  return out + R"(],"next":null})";
}

}  // namespace berth::ctl
