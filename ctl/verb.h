#pragma once
// What berthctl can be told: one table of verbs. Parsing, help, man page, completion and the
// requests all come from it; a test holds it against the daemon's route table.

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace berth::ctl {

// Where the API takes an input; `local` ones never leave berthctl.
enum class Place { path, query, body, local };
enum class Kind {
  text,
  integer,
  boolean,  // --public, --public=false
  tags,     // k=v,k2=v2
};

// An argument or a flag.
struct Input {
  std::string_view name;   // on the command line: "NAME" or "zone"
  std::string_view field;  // in the API: "name"; empty for local ones
  Place place = Place::body;
  Kind kind = Kind::text;
  bool is_required = false;  // arguments always are
  std::string_view about;
  std::string_view value = {};  // what stands after '=' in help; empty: by its kind
};

enum class Format {
  text,
  yes_no,
  bytes,    // 1.4 GiB
  mib,      // 512 MiB, 8 GiB
  time,     // 2026-01-02 03:04:05
  used_of,  // path and path2: "3/16"
  used_of_mib,
};

struct Column {
  std::string_view title;
  std::string_view path;  // "used.vcpus": members of the item
  Format format = Format::text;
  std::string_view path2 = {};
};

// How a verb is carried out and shown.
enum class Act {
  list,    // every page, as a table
  show,    // the answer's members, one a line
  change,  // `done_text`
  status,
  explain,
  set_quota,
  create_key,
  enroll_host,
  import_image,
  verify_audit,
  make_backup,
  pack,  // asks no daemon
};

struct Verb {
  std::string_view noun;
  std::string_view verb;  // empty: the noun alone, "status"
  std::string_view summary;
  std::string_view example;
  std::string_view method;      // empty, and the path too: no daemon is asked
  std::string_view path;        // "/v1/hosts/{host}"
  std::string_view fixed_body;  // JSON members always sent, "\"enabled\":false"; empty: none
  std::span<Input const> arguments;
  std::span<Input const> flags;
  Act act = Act::change;
  std::span<Column const> columns = {};
  std::string_view done_text =
      {};                      // "host {name} cordoned"; {x}: of the answer, then of the inputs
  std::string_view more = {};  // a paragraph for --help; empty: none
};

[[nodiscard]] std::span<Verb const> verbs();
[[nodiscard]] std::vector<std::string_view> nouns();  // in the table's order, each once
[[nodiscard]] std::string_view noun_summary(std::string_view noun);
[[nodiscard]] Verb const* find_verb(std::string_view noun, std::string_view verb);
[[nodiscard]] std::string command_of(Verb const& verb);  // "host enroll"

// Flags that every verb takes. gflags holds their values (main.cc).
struct GlobalFlag {
  char const* name;
  char const* value;  // what stands after '=': "PATH"; empty: a switch
  char const* fallback;
  char const* about;
};
inline constexpr GlobalFlag kSocketFlag{"socket", "PATH", "/run/berth/admin.sock",
                                        "The daemon's unix socket"};
inline constexpr GlobalFlag kUrlFlag{
    "url", "URL", "",
    "https://HOST:PORT of the daemon instead of the socket; needs --cert, --key and --ca"};
inline constexpr GlobalFlag kCertFlag{"cert", "FILE", "", "Your certificate, PEM"};
inline constexpr GlobalFlag kKeyFlag{"key", "FILE", "", "Its key, PEM"};
inline constexpr GlobalFlag kCaFlag{"ca", "FILE", "", "The region's CA certificate, PEM"};
inline constexpr GlobalFlag kOutputFlag{"output", "table|json", "table",
                                        "table for people, json for programs"};
[[nodiscard]] std::span<GlobalFlag const> global_flags();

}  // namespace berth::ctl
