#pragma once
// A closed-loop load generator: so many connections over TLS, each sends its next request as soon
// as the answer to the last has come. One thread, epoll, OpenSSL; as little else as possible,
// because it shares the machine with what it measures.

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "berth/base/result.h"

namespace berth::bench {

// Builds signed EC2 requests for one key. The signing key is derived once; the second of the date
// is kept for as long as it lasts.
class Signer {
 public:
  struct Who {
    std::string host;  // as the Host header says it: "127.0.0.1:8773"
    std::string region;
    std::string key_id;
    std::string secret;
  };
  explicit Signer(Who who) : who_(std::move(who)) {}

  // The whole HTTP request: POST / with this form.
  [[nodiscard]] std::string request(std::string_view form);

 private:
  void set_time();

  Who who_;
  std::int64_t second_ = -1;
  std::string time_;  // "20260102T030405Z"
  std::string day_;
  std::string scope_;
  std::string signing_key_;
};

struct Load {
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;
  unsigned connections = 64;
  double seconds = 5;
  // Of each connection, before anything is counted.
  double warm_up_seconds = 0.5;
  std::function<std::string()> next;  // the next request, whole
  std::uint64_t requests_max = 0;  // then it ends before its time; 0: as many as there is time for
  bool keeps_body = false;         // of the last answer
};

struct LoadResult {
  std::uint64_t answered = 0;         // with status 200, while it counted
  std::uint64_t refused = 0;          // with another status
  std::uint64_t answered_in_all = 0;  // with status 200, warm-up and end included
  std::uint64_t bytes = 0;            // of answers
  double seconds = 0;                 // that were counted
  double client_cpu_seconds = 0;
  std::vector<std::uint32_t> latencies_us;  // of the answered, sorted
  std::string first_refusal;                // head and body of the first that was not 200
  std::string last_body;                    // if it was to be kept

  [[nodiscard]] double per_second() const { return static_cast<double>(answered) / seconds; }
  [[nodiscard]] double percentile_ms(double p) const;
};

// `begun` is called when counting begins, `ended` when it ends. Errors: a connection that cannot be
// made or breaks.
[[nodiscard]] Result<LoadResult> run(Load const& load, std::function<void()> const& begun,
                                     std::function<void()> const& ended);

}  // namespace berth::bench
