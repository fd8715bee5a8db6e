// The writer: struct -> XML. Appends to one string; no tree is built, because a describe of a
// thousand instances is some 50,000 elements.

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <string>

#include "berth/base/digest.h"
#include "daemon/ec2/wire/codec.h"
#include "daemon/ec2/wire/utf8.h"

namespace berth::ec2::wire {

namespace {

constexpr std::string_view kProlog = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
// Of a document without its ready items, and of what surrounds each of these: so much is set aside
// at once, because growing a large text copies it again and again.
constexpr std::size_t kBytesExpected = 4096;
constexpr std::size_t kBytesAroundItem = 256;
constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

void open(std::string& out, std::string_view name) {
  out += '<';
  out += name;
  out += '>';
}
void close(std::string& out, std::string_view name) {
  out += "</";
  out += name;
  out += '>';
}
void append_element(std::string& out, std::string_view name, std::string_view text) {
  open(out, name);
  append_escaped(out, text);
  close(out, name);
}

template <class T>
void append_number(std::string& out, T value) {
  std::array<char, 32> buffer{};
  auto const [end, error] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
  ENSURE(error == std::errc{});
  out.append(buffer.data(), end);
}

void append_value(std::string& out, Kind kind, std::string const& value) {
  if (kind == Kind::blob) {
    out += base64(value);
  } else {
    append_escaped(out, value);
  }
}
void append_value(std::string& out, Kind, std::int64_t value) {
  append_number(out, value);
}
void append_value(std::string& out, Kind, bool value) {
  out += value ? "true" : "false";
}
void append_value(std::string& out, Kind, double value) {
  // XML Schema's spellings are of no use to clients that expect a decimal.
  append_number(out, std::isfinite(value) ? value : 0.0);
}
void append_value(std::string& out, Kind, WallTime value) {
  out += iso8601(value);
}

template <class T>
void append_optional(std::string& out, Member const& member, void const* at) {
  auto const& held = *static_cast<std::optional<T> const*>(at);
  if (!held) return;
  open(out, member.xml_name);
  append_value(out, member.kind, *held);
  close(out, member.xml_name);
}

template <class T>
void append_scalars(std::string& out, Member const& member, void const* at) {
  for (T const& value : *static_cast<std::vector<T> const*>(at)) {
    open(out, member.item_name);
    append_value(out, member.item, value);
    close(out, member.item_name);
  }
}

// One document being written, and the lists whose items are ready.
struct Writer {
  std::string& out;
  Ready const* ready = nullptr;
  std::size_t lists_taken = 0;

  void append_members(Shape const& current, void const* object) {
    for (Member const& member : current.members) {
      append_member(member, static_cast<std::byte const*>(object) + member.offset);
    }
  }

 private:
  void append_member(Member const& member, void const* at) {
    switch (member.kind) {
      case Kind::text:
      case Kind::blob: return append_optional<std::string>(out, member, at);
      case Kind::integer: return append_optional<std::int64_t>(out, member, at);
      case Kind::boolean: return append_optional<bool>(out, member, at);
      case Kind::real: return append_optional<double>(out, member, at);
      case Kind::time: return append_optional<WallTime>(out, member, at);
      case Kind::list: return append_list(member, at);
      case Kind::structure: break;
    }
    Shape const& inner = shape(member.shape);
    if (void const* const value = inner.value(at)) {
      open(out, member.xml_name);
      append_members(inner, value);
      close(out, member.xml_name);
    }
  }

  void append_list(Member const& member, void const* at) {
    std::size_t const before = out.size();
    open(out, member.xml_name);
    std::size_t const inside = out.size();
    append_items(member, at);
    if (out.size() > inside) return close(out, member.xml_name);
    out.resize(before);
    if (member.emit_empty) {
      out += '<';
      out += member.xml_name;
      out += "/>";
    }
  }

  void append_items(Member const& member, void const* at) {
    switch (member.item) {
      case Kind::text:
      case Kind::blob: return append_scalars<std::string>(out, member, at);
      case Kind::integer: return append_scalars<std::int64_t>(out, member, at);
      case Kind::real: return append_scalars<double>(out, member, at);
      case Kind::time: return append_scalars<WallTime>(out, member, at);
      case Kind::structure: break;
      case Kind::boolean:
      case Kind::list: std::abort();  // generate.py refuses both
    }
    bool const is_ready = ready != nullptr && member.shape == ready->shape && !ready->lists.empty();
    if (is_ready) return append_ready(member);
    Shape const& inner = shape(member.shape);
    Items const items = inner.items(at);
    for (std::size_t i = 0; i < items.count; ++i) {
      open(out, member.item_name);
      append_members(inner, static_cast<std::byte const*>(items.data) + i * items.stride);
      close(out, member.item_name);
    }
  }

  void append_ready(Member const& member) {
    ENSURE(lists_taken < ready->lists.size());
    for (std::string_view const item : ready->lists[lists_taken++]) {
      open(out, member.item_name);
      out += item;
      close(out, member.item_name);
    }
  }
};

// The common case: printable ASCII that is not markup.
bool is_plain(char c) {
  return c >= 0x20 && c < 0x7f && c != '<' && c != '>' && c != '&';
}

// What XML 1.0 calls a Char, for a well-formed sequence.
bool is_xml_char(std::string_view sequence) {
  if (sequence.size() == 1) {
    auto const c = static_cast<unsigned char>(sequence.front());
    return c >= 0x20 || c == '\t' || c == '\n' || c == '\r';
  }
  return sequence != "\xEF\xBF\xBE" && sequence != "\xEF\xBF\xBF";  // U+FFFE, U+FFFF
}

}  // namespace

void append_escaped(std::string& out, std::string_view text) {
  while (!text.empty()) {
    std::size_t plain = 0;
    while (plain < text.size() && is_plain(text[plain])) ++plain;
    out += text.substr(0, plain);
    text.remove_prefix(plain);
    if (text.empty()) return;
    std::size_t length = utf8_sequence(text);
    std::string_view const sequence = text.substr(0, length);
    if (length == 0 || !is_xml_char(sequence)) {
      out += kReplacement;
      length = std::max<std::size_t>(length, 1);
    } else if (sequence == "<") {
      out += "&lt;";
    } else if (sequence == ">") {
      out += "&gt;";
    } else if (sequence == "&") {
      out += "&amp;";
    } else if (sequence == "\r") {
      out += "&#13;";  // a parser would turn a bare one into a line feed
    } else {
      out += sequence;
    }
    text.remove_prefix(length);
  }
}

std::string render_members(ShapeId id, void const* object) {
  std::string out;
  Writer{.out = out}.append_members(shape(id), object);
  return out;
}

std::string render_shape(Action action, void const* object, std::string_view request_id,
                         Ready const& ready) {
  ActionInfo const& about = info(action);
  bool const is_sts = about.service == Service::sts;
  std::size_t bytes = kBytesExpected;
  for (auto const& list : ready.lists) {
    for (std::string_view const item : list) bytes += item.size() + kBytesAroundItem;
  }
  std::string out;
  out.reserve(bytes);
  out += kProlog;
  out += '<';
  out += about.name;
  out += "Response xmlns=\"";
  out += info(about.service).xml_namespace;
  out += "\">";
  std::string const result = std::string(about.name) + "Result";
  if (is_sts) {
    open(out, result);
  } else {
    append_element(out, "requestId", request_id);
  }
  Writer{.out = out, .ready = &ready}.append_members(shape(about.output_shape), object);
  if (is_sts) {
    close(out, result);
    open(out, "ResponseMetadata");
    append_element(out, "RequestId", request_id);
    close(out, "ResponseMetadata");
  }
  out += "</";
  out += about.name;
  out += "Response>";
  return out;
}

// EC2's document has no namespace and exactly two children in Error, Code before Message: libcloud
// unpacks them as a pair.
std::string render_error(Ec2Error const& error, std::string_view request_id, Service service) {
  std::string out(kProlog);
  bool const is_sts = service == Service::sts;
  if (is_sts) {
    out += "<ErrorResponse xmlns=\"";
    out += info(service).xml_namespace;
    out += "\"><Error>";
    append_element(out, "Type", error.http_status >= 500 ? "Receiver" : "Sender");
  } else {
    out += "<Response><Errors><Error>";
  }
  append_element(out, "Code", error.code);
  append_element(out, "Message", error.message);
  out += is_sts ? "</Error>" : "</Error></Errors>";
  append_element(out, is_sts ? "RequestId" : "RequestID", request_id);
  out += is_sts ? "</ErrorResponse>" : "</Response>";
  return out;
}

}  // namespace berth::ec2::wire
