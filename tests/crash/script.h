#pragma once
// The script of the crash tests: two hundred calls of operators and tenants, the same each time,
// and what a client remembers of them. After a crash the client asks again for what was not
// answered, with the same token; what was answered must be there.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "daemon/core/input.h"
#include "daemon/core/reply.h"
#include "daemon/core/state.h"

namespace berth::crash {

// What one answer said.
struct Answer {
  enum class Kind {
    done,
    done_before,  // the call before it, which nobody saw answered, had done it
    refused,      // no room, quota: changed nothing
  };
  std::string request_id;
  Kind kind = Kind::done;
  std::vector<std::string> words;  // ids of the instances that it made, or the quota that it set

  // "REQUEST_ID KIND [WORD…]" and back.
  [[nodiscard]] std::string line() const;
  [[nodiscard]] static Answer parse(std::string const& line);
};

// By the number of the call.
using Answers = std::map<std::size_t, Answer>;

class Script {
 public:
  // `calls`: of tenants and operators after the region is set up.
  explicit Script(std::size_t calls = 200);

  [[nodiscard]] std::size_t size() const;
  // The end of the group that begins at `first`: calls that are given at once, none resting on
  // another of its group.
  [[nodiscard]] std::size_t group_end(std::size_t first) const;

  // How far a client with these answers may have come: no call from here on was ever given.
  [[nodiscard]] std::size_t given(Answers const& answers) const;

  // Call `n` as it is given now. Nothing: it rests on a launch that was refused, so there is
  // nothing to ask.
  [[nodiscard]] std::optional<core::Input> call(std::size_t n, std::string const& request_id,
                                                Answers const& answers,
                                                core::State const& state) const;
  // What the caller makes of the reply; nothing: it has to ask again (the store is full). An error
  // that no caller of this script should ever see ends the program.
  [[nodiscard]] static std::optional<Answer> answer(std::string const& request_id, bool is_repeated,
                                                    Result<core::Reply> const& reply);

  // One sentence for each answer that the state does not keep, for each thing in the state that was
  // not asked for, and for each thing that is there twice. Of the calls below `given`, those
  // without an answer may have been done or not.
  [[nodiscard]] std::vector<std::string> broken_promises(
      Answers const& answers, std::size_t given, core::State const& state,
      std::vector<core::AuditRecord> const& audit) const;

 private:
  enum class What {
    launch,
    launch_three,
    launch_large,
    tag,
    add_key,
    delete_key,
    quota,
    stop,
    end
  };
  [[nodiscard]] What what(std::size_t n) const;
  // The launches that a tag, stop or end is about.
  [[nodiscard]] std::vector<std::size_t> launches_of(std::size_t n) const;

  void check_launches(Answers const& answers, std::size_t given, core::State const& state,
                      std::vector<std::string>& out) const;
  void check_edits(Answers const& answers, std::size_t given, core::State const& state,
                   std::vector<std::string>& out) const;
  void check_keys_and_quota(Answers const& answers, std::size_t given, core::State const& state,
                            std::vector<std::string>& out) const;

  std::size_t calls_;
};

}  // namespace berth::crash
