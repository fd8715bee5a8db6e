#include "ctl/actions.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstring>

#include "ctl/progress.h"
#include "ctl/table.h"
#include "daemon/core/audit.h"

namespace berth::ctl {
namespace {

Error file_error(std::string const& path, std::string const& what) {
  return Error{Code::invalid, "file", path + ": " + what};
}

class File {
 public:
  explicit File(int fd) : fd_(fd) {}
  File(File const&) = delete;
  File& operator=(File const&) = delete;
  ~File() {
    if (fd_ >= 0) ::close(fd_);
  }
  [[nodiscard]] int fd() const { return fd_; }

 private:
  int fd_;
};

// Shows progress no more often than a person can read it.
class ProgressPrinter {
 public:
  ProgressPrinter(Session& session, std::int64_t total) : session_(session), total_(total) {}

  void operator()(std::int64_t done) {
    using std::chrono::milliseconds;
    std::int64_t const now =
        std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - start_).count();
    bool const is_last = done >= total_;
    bool const is_terminal = session_.terminal_columns > 0;
    if (!is_terminal && session_.is_json) return;
    std::int64_t const interval_ms = is_terminal ? 100 : 5'000;
    if (!is_last && now - shown_ms_ < interval_ms) return;
    shown_ms_ = now;
    Progress const progress{.done_bytes = done, .total_bytes = total_, .elapsed_ms = now};
    if (is_terminal)
      session_.err << "\r\x1b[K" << progress_bar(progress, session_.terminal_columns - 1)
                   << (is_last ? "\n" : "") << std::flush;
    else
      session_.err << progress_line(progress) << std::endl;
  }

 private:
  Session& session_;
  std::int64_t total_;
  std::int64_t shown_ms_ = 0;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

// The file that will hold the token is made before the host is enrolled: a token that cannot be
// kept would be lost.
class JoinFile {
 public:
  static Result<JoinFile> open(std::string const& path) {
    int const fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) return file_error(path, std::strerror(errno));
    if (::fchmod(fd, 0600) != 0) {
      ::close(fd);
      return file_error(path, std::strerror(errno));
    }
    return JoinFile(path, fd);
  }
  Result<void> write(std::string_view text) const {
    std::string const line = std::string(text) + "\n";
    bool const is_written =
        ::ftruncate(file_->fd(), 0) == 0 &&
        ::write(file_->fd(), line.data(), line.size()) == static_cast<ssize_t>(line.size()) &&
        ::fsync(file_->fd()) == 0;
    if (!is_written)
      return file_error(
          path_, std::string(std::strerror(errno)) + "; the token is lost: enrol the host again");
    return {};
  }

 private:
  JoinFile(std::string path, int fd) : path_(std::move(path)), file_(std::make_unique<File>(fd)) {}
  std::string path_;
  std::unique_ptr<File> file_;
};

Result<core::AuditRecord> record_of(Document const& item) {
  std::optional<std::int64_t> const number = item.number("number");
  std::optional<std::int64_t> const time = item.number("time_ms");
  if (!number || !time)
    return Error{Code::corrupt, "answer", "an audit record has no number or time"};
  core::AuditRecord record{.number = static_cast<std::uint64_t>(*number),
                           .time = WallTime{*time},
                           .actor = item.text("actor"),
                           .source = item.text("source"),
                           .request_id = item.text("request_id"),
                           .action = item.text("action"),
                           .subjects = {},
                           .outcome = item.text("outcome"),
                           .digest = item.text("digest")};
  for (Document const& subject : item.items("subjects"))
    record.subjects.push_back(subject.text(""));
  return record;
}

struct Chain {
  std::uint64_t count = 0;
  std::string digest;
};

// Takes the next record into the chain.
Result<void> extend(Chain& chain, core::AuditRecord const& record) {
  std::string const wanted = std::to_string(chain.count + 1);
  if (record.number != chain.count + 1) {
    return Error{Code::corrupt, "audit",
                 "BROKEN: after record " + std::to_string(chain.count) + " comes " +
                     std::to_string(record.number) + ", not " + wanted +
                     ": records are missing or were put in"};
  }
  std::string const digest = core::chained_digest(chain.digest, record);
  if (digest != record.digest) {
    return Error{Code::corrupt, "audit",
                 "BROKEN at record " + wanted + ": its digest is " + printable(record.digest) +
                     ", its text gives " + digest + ": it, or one before it, was changed"};
  }
  chain.count = record.number;
  chain.digest = digest;
  return {};
}

}  // namespace

Result<void> import_image(Command const& command, Session& session) {
  std::string const path = input(command, "FILE");
  File const file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat facts{};
  if (file.fd() < 0 || ::fstat(file.fd(), &facts) != 0)
    return file_error(path, std::strerror(errno));
  if (!S_ISREG(facts.st_mode)) return file_error(path, "not a regular file");
  if (facts.st_size == 0) return file_error(path, "the file is empty");
  ProgressPrinter printer(session, facts.st_size);
  Request const request{.method = "POST",
                        .target = target_of(command),
                        .body = {},
                        .file = file.fd(),
                        .file_bytes = facts.st_size,
                        .on_progress = [&](std::int64_t sent) { printer(sent); },
                        // The daemon makes the file durable and looks into it before it answers.
                        .answer_deadline = minutes(10)};
  Document const answer = TRY(ask(session, request));
  if (session.is_json)
    session.out << answer.dump() << "\n";
  else
    session.out << "image " << printable(answer.text("name")) << " has id "
                << printable(answer.text("id")) << ", digest " << printable(answer.text("digest"))
                << "\n";
  return {};
}

Result<void> enroll_host(Command const& command, Session& session) {
  std::string const join_path = input(command, "join_file");
  std::optional<JoinFile> join_file;
  if (!join_path.empty()) join_file = TRY(JoinFile::open(join_path));
  Document const answer = TRY(ask(session, Request{.method = "POST",
                                                   .target = target_of(command),
                                                   .body = body_of(command),
                                                   .on_progress = {}}));
  if (join_file) TRY(join_file->write(answer.text("token")));
  if (session.is_json) {
    session.out << answer.dump() << "\n";
    return {};
  }
  std::string const daemon =
      answer.text("daemon").empty() ? "DAEMON_HOST:PORT" : printable(answer.text("daemon"));
  std::string const token = printable(answer.text("token"));
  std::string const kept = join_file ? join_path : "/etc/berth/join";
  session.out << "host " << printable(answer.text("name")) << " is enrolled as "
              << printable(answer.text("host_id")) << " in " << printable(answer.text("zone"))
              << "\n";
  if (join_file)
    session.out << "The join token is in " << join_path << ". It works once, until "
                << printable(answer.text("token_expires")) << ". On the host:\n\n";
  else
    session.out << "The join token is shown this once. It works once, until "
                << printable(answer.text("token_expires")) << ". On the host:\n\n"
                << "  install -m 0600 /dev/stdin " << kept << " <<< " << token << "\n";
  session.out << "  berth-agent --daemon=" << daemon << " --join_file=" << kept << "\n";
  return {};
}

Result<void> set_quota(Command const& command, Session& session) {
  std::map<std::string, std::int64_t> wanted;
  Document const tenant = TRY(
      ask(session,
          Request{.method = "GET", .target = target_of(command), .body = {}, .on_progress = {}}));
  bool is_change = false;
  for (Input const& flag : command.verb->flags) {
    std::string const given = input(command, flag.name);
    std::optional<std::int64_t> value = tenant.number("quota." + std::string(flag.field));
    if (!given.empty()) {
      std::int64_t n = 0;
      std::from_chars(given.data(), given.data() + given.size(), n);
      value = n;
      is_change = true;
    }
    if (!value)
      return Error{Code::corrupt, "answer",
                   "the daemon's tenant has no quota." + std::string(flag.field)};
    wanted.emplace(flag.field, *value);
  }
  Document answer = tenant;
  if (is_change) {
    std::string body = object_text({Member{.name = "quota", .value = wanted}}, "");
    answer = TRY(ask(session, Request{.method = "PATCH",
                                      .target = target_of(command),
                                      .body = std::move(body),
                                      .on_progress = {}}));
  }
  if (session.is_json) {
    session.out << answer.dump() << "\n";
    return {};
  }
  static constexpr Column kColumns[] = {{"TENANT", "id"},
                                        {"INSTANCES", "quota.instances"},
                                        {"VCPUS", "quota.vcpus"},
                                        {"MEMORY", "quota.memory_mib", Format::mib},
                                        {"DISK GIB", "quota.disk_gib"},
                                        {"KEY PAIRS", "quota.key_pairs"},
                                        {"IMAGES", "quota.images"}};
  session.out << table(kColumns, {answer});
  return {};
}

Result<void> make_backup(Command const& command, Session& session) {
  // A large store takes minutes, on purpose: commits go on meanwhile.
  Document const answer = TRY(ask(session, Request{.method = "POST",
                                                   .target = target_of(command),
                                                   .body = body_of(command),
                                                   .on_progress = {},
                                                   .answer_deadline = hours(1)}));
  if (session.is_json)
    session.out << answer.dump() << "\n";
  else
    session.out << printable(answer.text("file")) << ": " << answer.text("bytes") << " bytes\n";
  return {};
}

Result<void> verify_audit(Command const& command, Session& session) {
  Chain chain;
  std::string next = "1";
  while (!next.empty()) {
    std::string const target =
        std::string(command.verb->path) + "?first=" + percent_encoded(next) + "&count=1000";
    Document const page = TRY(
        ask(session, Request{.method = "GET", .target = target, .body = {}, .on_progress = {}}));
    for (Document const& item : page.items("items")) {
      core::AuditRecord const record = TRY(record_of(item));
      TRY(extend(chain, record));
    }
    std::string const following = page.text("next");
    if (!following.empty() && following != std::to_string(chain.count + 1))
      return Error{Code::corrupt, "answer",
                   "the daemon's pages of the audit log do not follow each other"};
    next = following;
  }
  if (session.is_json) {
    session.out << object_text(
                       {Member{.name = "intact", .value = true},
                        Member{.name = "records", .value = static_cast<std::int64_t>(chain.count)},
                        Member{.name = "digest", .value = chain.digest}},
                       "")
                << "\n";
  } else {
    session.out << chain.count << " records, the chain is intact\n"
                << chain.count << " " << chain.digest << "\n";
  }
  return {};
}

}  // namespace berth::ctl
