#pragma once
// What TLS means here, in plain OpenSSL: versions, ciphers, client certificates and who they name.

#include <memory>
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

// "berth://ROLE/NAME", ROLE of a-z and '-', NAME of A-Z a-z 0-9 . _ -, each 1 to 64 long; anything
// else, a longer path, a NUL, an escape: nobody.
[[nodiscard]] PeerName parse_peer_uri(std::string_view uri);

// From the session's verified peer certificate. Two berth:// names, or a malformed one: nobody.
[[nodiscard]] PeerName peer_name(ssl_st* session);

}  // namespace berth::http
