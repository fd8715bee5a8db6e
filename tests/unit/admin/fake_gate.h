#pragma once
// A gate that answers at once with what the test says, and remembers what it was asked.

#include <cstdlib>
#include <filesystem>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "berth/base/digest.h"
#include "daemon/admin/service.h"
#include "daemon/core/gate.h"

namespace berth::admin {

class FakeGate final : public core::Gate {
 public:
  std::vector<core::AdminCall> calls;
  std::function<Result<core::Reply>(core::AdminCall const&)> answer = [](core::AdminCall const&) {
    return Result<core::Reply>(core::Done{});
  };

  void submit(core::Input input, Done done) override {
    auto* call = std::get_if<core::AdminCall>(&input);
    ENSURE(call != nullptr);
    calls.push_back(*call);
    done(answer(calls.back()));
  }

  template <class Action>
  [[nodiscard]] Action const& action(std::size_t index) const {
    return std::get<Action>(calls.at(index).action);
  }
};

// A directory of its own, gone with the test.
class ScratchDirectory {
 public:
  ScratchDirectory() {
    std::string name = (std::filesystem::temp_directory_path() / "berth-admin-XXXXXX").string();
    ENSURE(::mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ScratchDirectory(ScratchDirectory const&) = delete;
  ScratchDirectory& operator=(ScratchDirectory const&) = delete;
  ~ScratchDirectory() { std::filesystem::remove_all(path_); }

  [[nodiscard]] std::filesystem::path const& path() const { return path_; }
  [[nodiscard]] std::vector<std::string> files() const {
    std::vector<std::string> out;
    for (auto const& entry : std::filesystem::directory_iterator(path_))
      out.push_back(entry.path().filename().string());
    return out;
  }

 private:
  std::filesystem::path path_;
};

inline std::string const kRegionKey(32, 'k');

inline Options test_options(std::filesystem::path const& images) {
  Options options;
  options.region_key = kRegionKey;
  options.image_directory = images;
  options.agent_address = "berthd.example:8774";
  options.version = "9.9";
  options.join_token = [](HostId const& host) {
    return JoinToken{.text = "token-of-" + host.value,
                     .digest = hex(sha256("token-of-" + host.value))};
  };
  options.inspect = [](std::filesystem::path const&, ImageFormat) {
    return Result<ImageFacts>(ImageFacts{.virtual_size = Bytes(4096)});
  };
  options.make_backup = [](std::function<void(Result<BackupFile>)> done) {
    done(BackupFile{.path = "/b/1.db", .bytes = 4096, .created = WallTime{7}});
  };
  options.backups = [] {
    return Result<std::vector<BackupFile>>(
        std::vector<BackupFile>{{.path = "/b/1.db", .bytes = 4096, .created = WallTime{7}}});
  };
  options.audit = [](std::uint64_t, std::size_t) {
    return Result<std::vector<core::AuditRecord>>(std::vector<core::AuditRecord>{});
  };
  return options;
}

// A service on a fake gate; `ask` is one whole exchange.
struct Bench {
  ScratchDirectory images;
  FakeGate gate;
  Options options = test_options(images.path());
  std::unique_ptr<Service> service = std::make_unique<Service>(gate, options);

  void restart() { service = std::make_unique<Service>(gate, options); }

  static RequestView request(std::string method, std::string target, std::string body = "",
                             core::Role role = core::Role::admin) {
    RequestView out{.method = std::move(method), .actor = "root", .role = role, .peer = "unix"};
    std::size_t const query = target.find('?');
    out.path = target.substr(0, query);
    if (query != std::string::npos) out.query = target.substr(query + 1);
    if (!body.empty()) out.headers.emplace_back("content-type", "application/json");
    out.body = std::move(body);
    return out;
  }
  Answer ask(RequestView const& view) const {
    std::vector<Answer> answers;
    service->handle(view, [&](Answer answer) { answers.push_back(std::move(answer)); });
    ENSURE(answers.size() == 1);
    return answers.front();
  }
  Answer ask(std::string method, std::string target, std::string body = "",
             core::Role role = core::Role::admin) const {
    return ask(request(std::move(method), std::move(target), std::move(body), role));
  }
};

}  // namespace berth::admin
