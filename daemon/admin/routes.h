#pragma once
// The route table: everything the admin API can be asked, in one place. Dispatch, the role check,
// the field allow-list, and the OpenAPI document all come from it.
//
//   To add a call: its input in daemon/core/input.h, a row here, its shape in shape.cc and its
//   rendering in render.cc, and its verb in ctl/verbs.cc.

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/admin/fields.h"
#include "daemon/admin/shape.h"
#include "daemon/core/input.h"

namespace berth::admin {

// What a route needs beyond one call of the core.
enum class Work {
  call,  // `action`, then its reply
  pick,  // `action` lists; the answer is the one item whose key is the path's field
  health,
  create_key,    // id and secret are made here
  enroll_host,   // the token is made here
  import_image,  // streamed: Service::begin_upload
  delete_image,  // and its file, when nothing needs it any more
  read_audit,
  make_backup,
  list_backups,
  openapi,
};

struct Route {
  std::string_view name;  // "host.cordon": action name in audit and logs, operationId
  std::string_view method;
  std::string_view path;  // "/v1/hosts/{host}/cordon"
  core::Role role;        // the least that may
  std::string_view summary;
  std::span<Field const> fields;
  Noun noun;  // of the answer
  Form form;
  Work work;
  core::AdminAction (*action)(Fields const&);  // null where `work` makes its own
  unsigned success = 200;
};

[[nodiscard]] std::span<Route const> routes();

struct Match {
  Route const* route = nullptr;             // null: no route of this method
  std::map<std::string, std::string> path;  // the path's fields, decoded
  std::vector<std::string_view> allowed;    // methods of that path; empty: no such path
};

// `path` as received. A broken percent escape matches nothing.
[[nodiscard]] Match match(std::string_view method, std::string_view path);

}  // namespace berth::admin
