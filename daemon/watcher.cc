#include "daemon/watcher.h"

#include "berth/base/log.h"
#include "berth/base/log_event.h"

namespace berth {

void Watcher::decided(core::Input const& input, Result<core::Decision> const& decision,
                      Duration took) {
  metrics_.decided(input, decision, took);
  LogField request("request_id", "");
  LogField action("action", "");
  if (auto const* call = std::get_if<core::ApiCall>(&input)) {
    request.value = call->caller.request_id;
    action.value = call->action_name;
  } else if (auto const* operators = std::get_if<core::AdminCall>(&input)) {
    request.value = operators->request_id;
    action.value = operators->action_name;
  }
  if (!decision) {
    Error const& error = decision.error();
    log_event(LogLevel::info, "refused",
              {request, action, {"code", name(error.code)}, {"message", error.message}});
    return;
  }
  for (core::Event const& event : decision->events) {
    std::vector<LogField> fields;
    if (!request.value.empty()) fields = {request, action};
    for (auto const& [key, value] : event.fields) fields.emplace_back(key, value);
    log_event(LogLevel::info, event.what, fields);
  }
  // One line per decision that somebody asked for; reads only where every step is wanted.
  if (request.value.empty()) return;
  log_event(decision->changes.empty() ? LogLevel::debug : LogLevel::info, "decided",
            {request, action, {"changes", std::uint64_t{decision->changes.size()}}});
}

void Watcher::changing(core::State const& before, core::Change const& change) {
  metrics_.changing(before, change);
}

void Watcher::changed(core::State const& after, core::Change const& change) {
  metrics_.changed(after, change);
}

void Watcher::committed(std::vector<core::Change> const& changes, std::size_t inputs,
                        Duration took) {
  metrics_.committed(changes, inputs, took);
  published_.apply(changes);
}

void Watcher::released(Duration took) {
  metrics_.released(took);
}

void Watcher::ticked(core::State const& state) {
  metrics_.ticked(state, clock_.now().monotonic);
  heart_.beat(state);
}

}  // namespace berth
