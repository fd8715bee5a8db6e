// load_api: honest clients, too many of them, or hostile ones, against the plain-HTTP EC2 API of a
// berthd on this machine. One thread; what it saw goes to standard output as one line of JSON.
//
//   --mode=closed   each connection asks again as soon as it is answered: the peak
//   --mode=open     --rate requests a second come, whatever the daemon does: the load. Every second
//                   client tries again, up to three times with full jitter, when it is told to;
//                   each gives up after --patience_ms and comes again on a new connection
//   --mode=attack   --attack=header|body|read: connections that send or read as slowly as they can
//
// The requests are CreateTags of --resource (a durable change), and reads and a list of key pairs.

#include <gflags/gflags.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <queue>
#include <random>
#include <thread>

#include "tests/load/http_client.h"
#include "tests/load/requests.h"

DEFINE_string(mode, "closed", "closed, open or attack");
DEFINE_int32(port, 0, "Of the API, on 127.0.0.1");
DEFINE_string(key, "", "ID:SECRET of the tenant");
DEFINE_string(region, "us-east-1", "Of the signature");
DEFINE_string(resource, "", "Id of a key pair, to tag");
DEFINE_string(resource_name, "", "Its name");
DEFINE_double(seconds, 5, "How long");
DEFINE_int32(connections, 64, "At once");
DEFINE_int32(net, 1, "Source addresses are 127.0.NET.1 and up");
DEFINE_int32(per_address, 150, "Connections of one source address");
DEFINE_int32(rate, 1'000, "Of --mode=open, a second");
DEFINE_int32(patience_ms, 5'000, "After so long a client gives up");
DEFINE_int32(cpu, -1, "Run on this processor only; -1: on any");
DEFINE_double(opening_s, 2, "Over how long the attack opens its connections");
DEFINE_string(attack, "header", "header, body or read");

namespace berth::load {
namespace {

using std::chrono::duration;
using std::chrono::duration_cast;
using std::chrono::milliseconds;

constexpr int kTriesMax = 4;

Signer signer() {
  std::size_t const colon = FLAGS_key.find(':');
  return {.key_id = FLAGS_key.substr(0, colon),
          .secret = FLAGS_key.substr(colon + 1),
          .region = FLAGS_region,
          .host = "127.0.0.1:" + std::to_string(FLAGS_port)};
}

// Of every ten requests: six changes, three reads, a list.
std::array<std::string, 10> mix() {
  WallTime const now = SystemClock().now().wall;
  std::string const change = signed_request(signer(),
                                            {{"Action", "CreateTags"},
                                             {"ResourceId.1", FLAGS_resource},
                                             {"Tag.1.Key", "load"},
                                             {"Tag.1.Value", "x"}},
                                            now);
  std::string const read = signed_request(
      signer(), {{"Action", "DescribeKeyPairs"}, {"KeyName.1", FLAGS_resource_name}}, now);
  std::string const regions = signed_request(signer(), {{"Action", "DescribeRegions"}}, now);
  std::string const list = signed_request(signer(), {{"Action", "DescribeKeyPairs"}}, now);
  return {change, read, change, change, regions, change, list, change, read, change};
}

struct Tally {
  std::uint64_t offered = 0, unsent = 0, sent = 0, ok = 0, throttled = 0, unavailable = 0,
                other = 0, broken = 0, gave_up = 0, retries = 0;
  std::vector<double> latencies_ms;  // of those that went well
  std::vector<std::uint64_t> ok_by_second;
  std::vector<double> worst_ms_by_second;
};

double quantile(std::vector<double>& values, double q) {
  if (values.empty()) return 0;
  auto const at = static_cast<std::size_t>(q * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(at), values.end());
  return values[at];
}

class Load {
 public:
  explicit Load(bool is_open)
      : is_open_(is_open),
        clients_({.port = static_cast<std::uint16_t>(FLAGS_port),
                  .connections = static_cast<unsigned>(FLAGS_connections),
                  .per_address = static_cast<unsigned>(FLAGS_per_address),
                  .net = static_cast<unsigned>(FLAGS_net)},
                 [this](std::size_t c, Reply const& reply) { on_reply(c, reply); }),
        flying_(clients_.size()) {
    for (std::size_t i = clients_.size(); i-- > 0;) idle_.push_back(i);
  }

  void run() {
    start_ = Steady::now();
    Time const end = start_ + duration_cast<Steady::duration>(duration<double>(FLAGS_seconds));
    Time next_sweep = start_;
    while (Steady::now() < end) {
      if (is_open_) {
        take_retries();
        take_arrivals();
      } else {
        while (!idle_.empty()) ask(kNewRequest, 1);
      }
      if (Time const now = Steady::now(); now >= next_sweep) {
        sweep(now);
        next_sweep = now + milliseconds(100);
      }
      clients_.poll(milliseconds(1));
    }
    report();
  }

 private:
  static constexpr std::size_t kNewRequest = SIZE_MAX;
  struct Flight {
    Time sent;
    std::size_t request = 0;
    int tries = 0;
    bool is_up = false;
  };
  struct Retry {
    Time due;
    std::size_t request = 0;
    int tries = 0;
    bool operator>(Retry const& other) const { return due > other.due; }
  };

  void ask(std::size_t request, int tries) {
    std::size_t const c = idle_.back();
    idle_.pop_back();
    if (request == kNewRequest) request = next_request_++ % requests_.size();
    flying_[c] = {.sent = Steady::now(), .request = request, .tries = tries, .is_up = true};
    ++tally_.sent;
    clients_.send(c, requests_[request]);
  }

  void take_arrivals() {
    duration<double> const passed = Steady::now() - start_;
    auto const due = static_cast<std::uint64_t>(passed.count() * FLAGS_rate);
    while (tally_.offered < due) {
      ++tally_.offered;
      if (idle_.empty()) {
        ++tally_.unsent;  // every connection of these clients waits for an answer
      } else {
        ask(kNewRequest, 1);
      }
    }
  }

  void take_retries() {
    Time const now = Steady::now();
    while (!retries_.empty() && retries_.top().due <= now && !idle_.empty()) {
      Retry const r = retries_.top();
      retries_.pop();
      ++tally_.retries;
      ask(r.request, r.tries);
    }
  }

  void on_reply(std::size_t c, Reply const& reply) {
    Flight& flight = flying_[c];
    if (!flight.is_up) return;
    flight.is_up = false;
    idle_.push_back(c);
    Time const now = Steady::now();
    double const took = duration<double, std::milli>(now - flight.sent).count();
    auto const second = static_cast<std::size_t>(duration<double>(now - start_).count());
    if (reply.status == 200) {
      ++tally_.ok;
      tally_.latencies_ms.push_back(took);
      if (tally_.ok_by_second.size() <= second) {
        tally_.ok_by_second.resize(second + 1);
        tally_.worst_ms_by_second.resize(second + 1);
      }
      ++tally_.ok_by_second[second];
      tally_.worst_ms_by_second[second] = std::max(tally_.worst_ms_by_second[second], took);
      return;
    }
    if (reply.status == 0) {
      ++tally_.broken;
    } else if (reply.body.find("RequestLimitExceeded") != std::string_view::npos) {
      ++tally_.throttled;
    } else if (reply.status == 503) {
      ++tally_.unavailable;
    } else if (++tally_.other == 1) {
      std::fprintf(stderr, "%u %.*s\n", reply.status, static_cast<int>(reply.body.size()),
                   reply.body.data());
    }
    if (!is_open_ || reply.status != 503 || c % 2 == 0 || flight.tries >= kTriesMax) return;
    std::uniform_int_distribution<int> wait(0, 100 << flight.tries);
    retries_.push({now + milliseconds(wait(random_)), flight.request, flight.tries + 1});
  }

  void sweep(Time now) {
    for (std::size_t c = 0; c < flying_.size(); ++c) {
      if (!flying_[c].is_up || now - flying_[c].sent < milliseconds(FLAGS_patience_ms)) continue;
      flying_[c].is_up = false;
      ++tally_.gave_up;
      clients_.give_up(c);
      idle_.push_back(c);
    }
  }

  void report() {
    double const seconds = duration<double>(Steady::now() - start_).count();
    auto const n = [](char const* name, std::uint64_t value) {
      std::printf("\"%s\": %llu, ", name, static_cast<unsigned long long>(value));
    };
    std::printf("{");
    n("offered", is_open_ ? tally_.offered : tally_.sent);
    n("unsent", tally_.unsent);
    n("sent", tally_.sent);
    n("ok", tally_.ok);
    n("throttled", tally_.throttled);
    n("unavailable", tally_.unavailable);
    n("other", tally_.other);
    n("broken", tally_.broken);
    n("gave_up", tally_.gave_up);
    n("retries", tally_.retries);
    n("reconnects", clients_.reconnects());
    std::printf("\"seconds\": %.3f, \"ok_per_second\": %.1f, ", seconds,
                static_cast<double>(tally_.ok) / seconds);
    std::vector<double>& ms = tally_.latencies_ms;
    std::printf("\"p50_ms\": %.2f, \"p99_ms\": %.2f, \"max_ms\": %.2f, ", quantile(ms, 0.5),
                quantile(ms, 0.99), quantile(ms, 1));
    std::printf("\"ok_by_second\": [");
    for (std::size_t i = 0; i < tally_.ok_by_second.size(); ++i) {
      std::printf("%s%llu", i == 0 ? "" : ", ",
                  static_cast<unsigned long long>(tally_.ok_by_second[i]));
    }
    std::printf("], \"worst_ms_by_second\": [");
    for (std::size_t i = 0; i < tally_.worst_ms_by_second.size(); ++i) {
      std::printf("%s%.1f", i == 0 ? "" : ", ", tally_.worst_ms_by_second[i]);
    }
    std::printf("]}\n");
  }

  bool const is_open_;
  std::array<std::string, 10> const requests_ = mix();
  std::size_t next_request_ = 0;
  std::mt19937 random_{1};
  Tally tally_;
  Time start_;
  Clients clients_;
  std::vector<Flight> flying_;
  std::vector<std::size_t> idle_;
  std::priority_queue<Retry, std::vector<Retry>, std::greater<>> retries_;
};

// Connections that do as little as they can; when one is cut, that is all there is of it.
class Attack {
 public:
  void run() {
    // The largest answer there is without an instance: more than the kernel keeps for a client.
    std::string const large =
        signed_request(signer(), {{"Action", "DescribeInstanceTypes"}}, SystemClock().now().wall);
    std::string const body_head = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n";
    std::string const head = "POST / HTTP/1.1\r\nHost: x\r\nX-Slow: ";
    bool const reads = FLAGS_attack == "read";
    for (int i = 0; i < kPipelined && reads; ++i) all_of_read_ += large;
    std::string const& first = reads ? all_of_read_ : (FLAGS_attack == "body" ? body_head : head);
    Time const start = Steady::now();
    Time const end = start + duration_cast<Steady::duration>(duration<double>(FLAGS_seconds));
    while (Steady::now() < end) {
      Time const round = Steady::now();
      double const passed = duration<double>(round - start).count();
      double const part = std::min(1.0, (passed + 0.25) / FLAGS_opening_s);
      while (static_cast<double>(all_.size()) < part * FLAGS_connections) open(first);
      for (Slow& s : all_) look(s, reads);
      std::this_thread::sleep_until(round + milliseconds(250));
    }
    report();
  }

 private:
  static constexpr int kPipelined = 2;
  struct Slow {
    int fd = -1;
    Time opened;
    std::string_view out;
    Time next;  // when it moves its next byte
    double cut_after_s = 0;
  };

  void open(std::string_view first) {
    auto const host =
        1 + static_cast<unsigned>(all_.size()) / static_cast<unsigned>(FLAGS_per_address);
    int const fd = connect_from(static_cast<unsigned>(FLAGS_net), host,
                                static_cast<std::uint16_t>(FLAGS_port), 2'304);
    all_.push_back({.fd = fd, .opened = Steady::now(), .out = first, .next = Steady::now()});
  }

  void look(Slow& s, bool reads) {
    if (s.fd < 0) return;
    Time const now = Steady::now();
    if (!s.out.empty()) {
      ssize_t const n = ::send(s.fd, s.out.data(), s.out.size(), MSG_NOSIGNAL);
      if (n > 0) s.out.remove_prefix(static_cast<std::size_t>(n));
      if (n < 0 && errno != EAGAIN && errno != ENOTCONN) return cut(s, now);
    } else if (now >= s.next && !reads) {
      if (::send(s.fd, "x", 1, MSG_NOSIGNAL) < 0 && errno != EAGAIN) return cut(s, now);
      s.next = now + std::chrono::seconds(1);
    }
    char bytes[16];
    if (reads) {
      // A reset shows itself, an end only behind all that waits to be read.
      pollfd state{.fd = s.fd, .events = POLLRDHUP, .revents = 0};
      if (poll(&state, 1, 0) > 0 && (state.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0) {
        return cut(s, now);
      }
      if (now < s.next) return;
      s.next = now + std::chrono::seconds(1);
      (void)recv(s.fd, bytes, sizeof bytes, 0);
      return;
    }
    ssize_t const n = recv(s.fd, bytes, sizeof bytes, 0);
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != ENOTCONN)) cut(s, now);
  }

  void cut(Slow& s, Time now) {
    close(s.fd);
    s.fd = -1;
    s.cut_after_s = duration<double>(now - s.opened).count();
  }

  void report() {
    std::size_t alive = 0;
    double longest = 0;
    for (Slow const& s : all_) {
      alive += s.fd >= 0 ? 1 : 0;
      longest = std::max(longest, s.cut_after_s);
    }
    std::printf(
        "{\"attack\": \"%s\", \"connections\": %zu, \"alive\": %zu, "
        "\"longest_s\": %.1f}\n",
        FLAGS_attack.c_str(), all_.size(), alive, longest);
  }

  std::vector<Slow> all_;
  std::string all_of_read_;
};

int run() {
  if (FLAGS_cpu >= 0) {
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(static_cast<std::size_t>(FLAGS_cpu), &one);
    if (sched_setaffinity(0, sizeof one, &one) != 0) std::perror("sched_setaffinity");
  }
  if (FLAGS_port <= 0 || FLAGS_key.find(':') == std::string::npos) {
    std::fprintf(stderr, "load_api: --port and --key=ID:SECRET are needed; see --help\n");
    return 2;
  }
  if (FLAGS_mode == "attack") {
    Attack().run();
  } else {
    Load(FLAGS_mode == "open").run();
  }
  return 0;
}

}  // namespace
}  // namespace berth::load

int main(int argc, char** argv) {
  gflags::SetUsageMessage("loads or attacks the EC2 API of a berthd on this machine");
  gflags::ParseCommandLineFlags(&argc, &argv, true);
  return berth::load::run();
}
