#include "tests/sim/story.h"

#include <algorithm>
#include <map>
#include <sstream>
#include <vector>

#include "daemon/core/instance_state.h"
#include "tests/sim/cluster.h"

namespace berth::sim {

namespace {

Options good_day() {
  Options o;
  o.hosts = 2;
  o.tenants = 2;
  o.network = {milliseconds(1), milliseconds(1)};
  o.commit = {milliseconds(5), milliseconds(5)};
  o.action = {milliseconds(100), milliseconds(100)};
  o.boot = {seconds(1), seconds(1)};
  o.fetch = {seconds(5), seconds(5)};
  o.restart = {seconds(2), seconds(2)};
  return o;
}

struct Command {
  std::string verb;
  std::vector<std::string> words;               // without "="
  std::map<std::string, std::string> settings;  // key=value
};

Command parsed(std::string_view line) {
  Command out;
  std::istringstream words{std::string(line)};
  words >> out.verb;
  for (std::string word; words >> word;) {
    std::size_t const equals = word.find('=');
    if (equals == std::string::npos) {
      out.words.push_back(word);
    } else {
      out.settings[word.substr(0, equals)] = word.substr(equals + 1);
    }
  }
  return out;
}

std::string_view name(HostHealth health) {
  switch (health) {
    case HostHealth::never_seen: return "never seen";
    case HostHealth::up: return "up";
    case HostHealth::suspect: return "suspect";
    case HostHealth::lost: return "lost";
  }
  return "unknown";
}

class Stage {
 public:
  Stage() : world_(1, nullptr), cluster_(world_, good_day()) {
    cluster_.set_up();
    wait(seconds(1));
  }

  Result<std::string> perform(std::string_view line);

 private:
  std::string api(Command const& c, std::string name, core::ApiAction action);
  std::string launch(Command const& c);
  std::string power(Command const& c);
  std::string list(Command const& c);
  std::string hosts();
  std::string quota(Command const& c);
  Result<std::string> fault(Command const& c);

  void wait(Duration length) {
    Instant const end = world_.now() + length;
    while (world_.run_next(end)) {}
  }
  std::size_t tenant(Command const& c) const {
    auto const it = c.settings.find("tenant");
    return it != c.settings.end() && it->second == "2" ? 1 : 0;
  }
  std::string setting(Command const& c, std::string const& key, std::string otherwise) const {
    auto const it = c.settings.find(key);
    return it != c.settings.end() ? it->second : std::move(otherwise);
  }
  // "i1" for the first instance of the story, and back.
  std::string nick(std::string const& id) {
    auto const it = std::ranges::find(ids_, id);
    if (it == ids_.end()) ids_.push_back(id);
    return "i" + std::to_string(std::ranges::find(ids_, id) - ids_.begin() + 1);
  }
  std::string id_of(std::string const& nick) const {
    std::size_t const number = std::stoul("0" + nick.substr(std::min<std::size_t>(1, nick.size())));
    return number >= 1 && number <= ids_.size() ? ids_[number - 1] : "i-00000000000000000";
  }
  std::string readable(std::string text) const {
    for (std::size_t i = 0; i < ids_.size(); ++i) {
      std::size_t const at = text.find(ids_[i]);
      if (at != std::string::npos) text.replace(at, ids_[i].size(), "i" + std::to_string(i + 1));
    }
    return text;
  }

  World world_;
  Cluster cluster_;
  std::vector<std::string> ids_;
  std::uint64_t requests_ = 0;
};

Result<std::string> Stage::perform(std::string_view line) {
  Command const c = parsed(line);
  if (c.verb == "launch") return launch(c);
  if (c.verb == "list") return list(c);
  if (c.verb == "hosts") return hosts();
  if (c.verb == "quota") return quota(c);
  if (c.verb == "start" || c.verb == "stop" || c.verb == "reboot" || c.verb == "terminate") {
    return power(c);
  }
  if (c.verb == "wait" && c.words.size() == 1) {
    wait(seconds(std::stol("0" + c.words[0])));
    return std::string();
  }
  std::string const output = TRY(fault(c));
  if (world_.violation()) return "violation: " + *world_.violation() + "\n";
  return output;
}

std::string Stage::api(Command const& c, std::string action_name, core::ApiAction action) {
  if (!cluster_.daemon.is_up()) return "no answer: the daemon is down\n";
  auto const& who = cluster_.tenants[tenant(c)];
  Result<core::Reply> const reply = cluster_.daemon.call(
      core::ApiCall{.caller = {.tenant = who.id,
                               .key = who.key,
                               .request_id = "story-" + std::to_string(++requests_)},
                    .action_name = std::move(action_name),
                    .action = std::move(action)});
  if (!reply)
    return readable(std::string(berth::name(reply.error().code)) + ": " + reply.error().message +
                    "\n");
  std::string out;
  if (auto const* made = std::get_if<core::Launched>(&*reply)) {
    for (core::InstanceView const& v : made->reservation.instances) {
      out += nick(v.instance.id.value) + " " + std::string(core::name(v.state)) + "\n";
    }
  }
  if (auto const* changes = std::get_if<core::StateChanges>(&*reply)) {
    for (core::StateChange const& change : changes->items) {
      out += nick(change.id.value) + " " + std::string(core::name(change.previous)) + " -> " +
             std::string(core::name(change.current)) + "\n";
    }
  }
  if (auto const* listed = std::get_if<core::Statuses>(&*reply)) {
    std::map<std::string, std::string> lines;
    for (core::InstanceView const& v : listed->items) {
      std::string line = nick(v.instance.id.value);
      line += " " + std::string(core::name(v.state));
      if (!v.instance.state_reason.message.empty())
        line += " (" + v.instance.state_reason.message + ")";
      if (v.host_health != HostHealth::up)
        line += ", its host is " + std::string(name(v.host_health));
      lines[nick(v.instance.id.value)] = line + "\n";
    }
    for (auto const& [key, line] : lines) out += line;
  }
  return out;
}

std::string Stage::launch(Command const& c) {
  core::RunInstances ask{.image_id = cluster_.public_images[0],
                         .type = setting(c, "type", "t3.nano")};
  ask.max_count = std::stol(setting(c, "count", "1"));
  ask.min_count = std::stol(setting(c, "min", std::to_string(ask.max_count)));
  ask.client_token = setting(c, "token", "");
  ask.parameters_digest = ask.type + "/" + std::to_string(ask.max_count);
  if (setting(c, "shutdown", "stop") == "terminate")
    ask.shutdown_behavior = ShutdownBehavior::terminate;
  return api(c, "RunInstances", std::move(ask));
}

std::string Stage::power(Command const& c) {
  std::vector<std::string> ids;
  for (std::string const& word : c.words) ids.push_back(id_of(word));
  if (c.verb == "start") return api(c, "StartInstances", core::StartInstances{ids});
  if (c.verb == "stop") return api(c, "StopInstances", core::StopInstances{ids});
  if (c.verb == "reboot") return api(c, "RebootInstances", core::RebootInstances{ids});
  return api(c, "TerminateInstances", core::TerminateInstances{ids});
}

std::string Stage::list(Command const& c) {
  return api(c, "DescribeInstanceStatus", core::DescribeInstanceStatus{.include_all = true});
}

std::string Stage::hosts() {
  Result<core::Reply> const reply =
      cluster_.daemon.call(core::AdminCall{.actor = "root",
                                           .role = core::Role::viewer,
                                           .action_name = "host.list",
                                           .action = core::ListHosts{}});
  if (!reply) return reply.error().message + "\n";
  std::map<std::string, std::string> lines;
  for (core::HostView const& v : std::get<core::HostList>(*reply).items) {
    lines[v.host.name] = v.host.name + " " + std::string(name(v.health)) + ", " +
                         std::to_string(v.used.instances) + " instances, " +
                         std::to_string(v.used.vcpus) + " vCPUs\n";
  }
  std::string out;
  for (auto const& [key, line] : lines) out += line;
  return out;
}

std::string Stage::quota(Command const& c) {
  Quota quota;
  quota.instances = std::stol(setting(c, "instances", "100"));
  quota.vcpus = std::stol(setting(c, "vcpus", "400"));
  Result<core::Reply> const reply = cluster_.daemon.call(core::AdminCall{
      .actor = "root",
      .role = core::Role::admin,
      .request_id = "story-" + std::to_string(++requests_),
      .action_name = "tenant.set",
      .action = core::SetTenant{.id = cluster_.tenants[tenant(c)].id.value, .quota = quota}});
  return reply ? std::string() : reply.error().message + "\n";
}

Result<std::string> Stage::fault(Command const& c) {
  if (c.verb == "crash-daemon") {
    cluster_.daemon.crash();
    return std::string();
  }
  Error const unknown{Code::invalid, "command", "no such command: '" + c.verb + "'"};
  if (c.words.size() != 1) return unknown;
  if (c.verb == "power-off-inside" || c.verb == "kill-guest") {
    InstanceId const id(id_of(c.words[0]));
    for (auto const& host : cluster_.hosts) {
      if (c.verb == "kill-guest")
        host->machine().kill_guest(id);
      else
        host->machine().end_guest(id);
    }
    return std::string();
  }
  std::size_t const index = c.words[0] == "host-1" ? 1 : 0;
  SimHost& host = *cluster_.hosts[index];
  if (c.verb == "cut-power")
    host.power_cut();
  else if (c.verb == "restore-power")
    host.power_on();
  else if (c.verb == "crash-agent")
    host.kill_agent(false);
  else if (c.verb == "start-agent")
    host.start_agent();
  else if (c.verb == "disconnect" || c.verb == "reconnect") {
    for (Way const way : {Way::up, Way::down}) {
      if (c.verb == "disconnect")
        cluster_.network.block(index, way);
      else
        cluster_.network.unblock(index, way);
    }
  } else {
    return unknown;
  }
  return std::string();
}

}  // namespace

Result<std::string> played(std::string_view story) {
  Stage stage;
  std::string out;
  bool is_output = false;  // the old output of the command before; not copied
  std::istringstream lines{std::string(story)};
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("$ ")) {
      out += line + "\n" + TRY(stage.perform(std::string_view(line).substr(2)));
      is_output = true;
    } else if (line.empty() || line.starts_with("#")) {
      out += line + "\n";
      is_output = false;
    } else if (!is_output) {
      return Error{Code::invalid, "story",
                   "neither a command, nor prose ('#'), nor output: '" + line + "'"};
    }
  }
  return out;
}

}  // namespace berth::sim
