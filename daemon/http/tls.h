#pragma once
// What TLS means here, in plain OpenSSL: versions, ciphers, client certificates and who they name,
// and a session on a socket. (Asio's own stream keeps 90 KB for each connection, idle or not; with
// twenty thousand of them that is the machine.)

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "berth/base/result.h"
#include "daemon/http/server.h"

struct ssl_ctx_st;
struct ssl_st;

namespace berth::http {

struct TlsContextDeleter {
  void operator()(ssl_ctx_st* context) const;
};
using TlsContext = std::unique_ptr<ssl_ctx_st, TlsContextDeleter>;

// Reads the files. Error (invalid): what OpenSSL says about which file.
[[nodiscard]] Result<TlsContext> make_tls_context(TlsOptions const& options);

// Who a verified client certificate names. Both empty: nobody.
struct PeerName {
  std::string role;
  std::string name;

  bool operator==(PeerName const&) const = default;
};

// "berth://ROLE/NAME" or "berth://ROLE/KIND/NAME" (then the name is "KIND/NAME"); ROLE and KIND of
// a-z and '-', NAME of A-Z a-z 0-9 . _ -, each 1 to 64 long; anything
// else, a longer path, a NUL, an escape: nobody.
[[nodiscard]] PeerName parse_peer_uri(std::string_view uri);

// One session on a connected non-blocking socket. It never waits: it says what for.
class TlsSession {
 public:
  TlsSession(ssl_ctx_st* context, int socket);

  enum class Outcome {
    done,
    wants_read,   // call again with the same arguments once the socket is readable
    wants_write,  // once it is writable
    closed,       // the peer has said goodbye
    failed,       // nothing more can be said or heard in this session
  };
  struct Step {
    Outcome outcome = Outcome::failed;
    std::size_t bytes = 0;  // moved, if done
  };

  [[nodiscard]] Step handshake();
  [[nodiscard]] Step read(std::span<char> into);     // at least one byte of room
  [[nodiscard]] Step write(std::string_view bytes);  // at least one; may take fewer than given
  void say_goodbye();                                // once; does not wait for the peer's

  // After the handshake, from the verified client certificate. Two berth:// names, or a malformed
  // one: nobody.
  [[nodiscard]] PeerName peer() const;

 private:
  struct Deleter {
    void operator()(ssl_st* session) const;
  };

  [[nodiscard]] Step step(int returned, std::size_t bytes);

  std::unique_ptr<ssl_st, Deleter> session_;
};

}  // namespace berth::http
