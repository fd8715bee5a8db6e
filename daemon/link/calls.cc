// The calls that are over soon: joining, renewing, fetching an image.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cerrno>
#include <cstring>
#include <utility>

#include "berth/base/log.h"
#include "common/pki/join_token.h"
#include "daemon/link/impl.h"

namespace berth::link {

namespace {

constexpr std::size_t kChunkBytes = 256 * 1024;

class File {
 public:
  explicit File(std::string const& path)
      : fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW)) {}
  ~File() {
    if (fd_ >= 0) ::close(fd_);
  }
  File(File const&) = delete;
  File& operator=(File const&) = delete;

  // Absent: cannot be opened, or is no regular file.
  [[nodiscard]] std::optional<std::int64_t> size() const {
    struct stat s{};
    if (fd_ < 0 || ::fstat(fd_, &s) != 0 || !S_ISREG(s.st_mode)) return std::nullopt;
    return s.st_size;
  }
  [[nodiscard]] Result<std::string> read(std::int64_t offset, std::size_t count) const {
    std::string bytes(count, '\0');
    ssize_t n = -1;
    do { n = ::pread(fd_, bytes.data(), bytes.size(), offset); } while (n < 0 && errno == EINTR);
    if (n < 0) {
      return Error{Code::unavailable, "image", std::string("read: ") + std::strerror(errno)};
    }
    bytes.resize(static_cast<std::size_t>(n));
    return bytes;
  }

 private:
  int fd_;
};

}  // namespace

// ---- Joining and renewing
// -------------------------------------------------------------------------

class LinkServer::Impl::JoinCall final : public grpc::ServerUnaryReactor,
                                         public std::enable_shared_from_this<JoinCall> {
 public:
  JoinCall(Impl& impl, pb::JoinRequest const& request, pb::JoinReply& reply)
      : impl_(impl), request_(request), reply_(reply) {
    impl_.call_began();
    ++impl_.joins_waiting_;
  }

  void begin(std::string peer) {
    {
      std::lock_guard const lock(mutex_);  // a cancellation may come at once, on another thread
      self_ = shared_from_this();
    }
    auto const token = pki::parse_join_token(request_.token());
    if (!token) return answer(token.error());
    if (request_.host_uuid().empty() || request_.host_uuid().size() > 64) {
      return answer(Error{Code::invalid, "host uuid", "expected the host's UUID"});
    }
    if (auto const sound = pki::check_csr(request_.csr_pem()); !sound) return answer(sound.error());
    if (impl_.joins_waiting_ > impl_.options_.joins_max) {
      return answer(Error{Code::throttled, "join", "too many hosts join at once; try again"});
    }
    host_ = token->host;
    impl_.events_.on_join(JoinAttempt{.host = token->host,
                                      .token_digest = pki::token_digest(request_.token()),
                                      .host_uuid = request_.host_uuid(),
                                      .peer = std::move(peer)},
                          [call = shared_from_this()](Result<JoinAccepted> accepted) {
                            call->answer(std::move(accepted));
                          });
  }

 private:
  // The first answer counts: the core's, or that nobody waits any more. After it `impl_` may be
  // gone.
  void answer(Result<JoinAccepted> accepted) {
    std::lock_guard const lock(mutex_);
    if (is_answered_) return;
    is_answered_ = true;
    Result<std::string> certificate = Error{};
    if (!accepted) {
      certificate = accepted.error();
    } else {
      certificate = impl_.options_.authority->host_certificate(
          request_.csr_pem(), host_, impl_.options_.clock->now().wall,
          impl_.options_.host_certificate_life);
    }
    if (!certificate) {
      ++impl_.counters_.joins_refused;
      Finish(status_of(certificate.error()));
      return;
    }
    ++impl_.counters_.joins_accepted;
    reply_.set_certificate_pem(*certificate);
    reply_.set_host(host_.value);
    reply_.set_zone(accepted->zone.value);
    Finish(grpc::Status::OK);
  }

  void OnCancel() override { answer(Error{Code::unavailable, "join", "broken off"}); }
  void OnDone() override {
    Impl& impl = impl_;
    --impl.joins_waiting_;
    std::shared_ptr<JoinCall> last;
    {
      std::lock_guard const lock(mutex_);
      last.swap(self_);
    }
    last.reset();  // may end us
    impl.call_ended();
  }

  Impl& impl_;
  pb::JoinRequest const& request_;
  pb::JoinReply& reply_;
  HostId host_;
  std::shared_ptr<JoinCall> self_;
  std::mutex mutex_;
  bool is_answered_ = false;
};

grpc::ServerUnaryReactor* LinkServer::Impl::Join(grpc::CallbackServerContext* context,
                                                 pb::JoinRequest const* request,
                                                 pb::JoinReply* reply) {
  auto const call = std::make_shared<JoinCall>(*this, *request, *reply);
  call->begin(context->peer());
  return call.get();
}

grpc::ServerUnaryReactor* LinkServer::Impl::Renew(grpc::CallbackServerContext* context,
                                                  pb::RenewRequest const* request,
                                                  pb::RenewReply* reply) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  auto const identity = host_of(*context);
  Result<std::string> certificate = Error{};
  if (!identity) {
    certificate = identity.error();
  } else {
    certificate = options_.authority->host_certificate(request->csr_pem(), HostId(identity->name),
                                                       options_.clock->now().wall,
                                                       options_.host_certificate_life);
  }
  if (certificate) {
    ++counters_.renewals;
    reply->set_certificate_pem(*certificate);
  }
  reactor->Finish(certificate ? grpc::Status::OK : status_of(certificate.error()));
  return reactor;
}

// ---- Images
// ---------------------------------------------------------------------------------------

// A chain of one step after the other: read a piece on a worker, write it, again. So nothing but
// the chain itself ever touches it, and it finishes exactly once.
class LinkServer::Impl::ImageFetch final : public grpc::ServerWriteReactor<pb::Chunk> {
 public:
  ImageFetch(Impl& impl, Result<std::string> path, std::int64_t offset)
      : impl_(impl), offset_(offset) {
    impl_.call_began();
    bool const is_crowded = ++impl_.counters_.image_fetches > impl_.options_.image_fetches_max;
    if (!path) {
      Finish(status_of(path.error()));
    } else if (is_crowded) {
      Finish(grpc::Status(grpc::StatusCode::RESOURCE_EXHAUSTED, "too many fetches; try again"));
    } else {
      impl_.workers_->post([this, p = *std::move(path)] { open(p); });
    }
  }

 private:
  void open(std::string const& path) {
    file_.emplace(path);
    auto const size = file_->size();
    if (!size) {
      log_error("image file cannot be opened", {{"path", path}});
      Finish(grpc::Status(grpc::StatusCode::UNAVAILABLE, "the image cannot be read"));
    } else if (offset_ < 0 || offset_ > *size) {
      Finish(grpc::Status(grpc::StatusCode::INVALID_ARGUMENT, "offset past the end of the image"));
    } else {
      step();
    }
  }
  void step() {
    if (is_cancelled_) return Finish(grpc::Status::CANCELLED);
    auto piece = file_->read(offset_, kChunkBytes);
    if (!piece) return Finish(status_of(piece.error()));
    if (piece->empty()) return Finish(grpc::Status::OK);
    offset_ += static_cast<std::int64_t>(piece->size());
    impl_.counters_.image_bytes_out += piece->size();
    chunk_.set_data(*std::move(piece));
    StartWrite(&chunk_);
  }
  void OnWriteDone(bool ok) override {
    if (!ok) return Finish(grpc::Status::CANCELLED);
    impl_.workers_->post([this] { step(); });
  }
  void OnCancel() override { is_cancelled_ = true; }
  void OnDone() override {
    Impl& impl = impl_;
    --impl.counters_.image_fetches;
    delete this;
    impl.call_ended();
  }

  Impl& impl_;
  std::int64_t offset_;
  std::optional<File> file_;
  pb::Chunk chunk_;
  std::atomic<bool> is_cancelled_{false};
};

grpc::ServerWriteReactor<pb::Chunk>* LinkServer::Impl::FetchImage(
    grpc::CallbackServerContext* context, pb::FetchImageRequest const* request) {
  auto const identity = host_of(*context);
  if (!identity) return new ImageFetch(*this, identity.error(), 0);
  auto path = options_.image_path(HostId(identity->name), request->digest());
  if (!path) {
    return new ImageFetch(
        *this, Error{Code::forbidden, "image", "not an image that this host's spec names"}, 0);
  }
  return new ImageFetch(*this, *std::move(path), request->offset());
}

}  // namespace berth::link
