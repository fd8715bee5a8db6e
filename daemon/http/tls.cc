#include "daemon/http/tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <cstddef>

#include "berth/base/ensure.h"

namespace berth::http {
namespace {

// Forward secrecy and authenticated encryption only; TLS 1.3's own list is already that.
constexpr char const* kCiphers = "ECDHE+AESGCM:ECDHE+CHACHA20";
constexpr std::string_view kScheme = "berth://";
constexpr std::size_t kNamePartMax = 64;
constexpr int kVerifyDepthMax = 4;

Error failed(std::string const& what) {
  std::array<char, 256> text{};
  unsigned long const code = ERR_peek_error();
  ERR_error_string_n(code, text.data(), text.size());
  ERR_clear_error();
  return Error{.code = Code::invalid,
               .subject = "tls",
               .message = what + ": " + (code == 0 ? "unknown reason" : text.data())};
}

// HTTP/1.1 is all we speak. A client that offers only something else goes on without ALPN, as if it
// had offered nothing, and meets our answer in HTTP/1.1.
int choose_protocol(SSL* /*session*/, unsigned char const** out, unsigned char* out_size,
                    unsigned char const* in, unsigned in_size, void* /*none*/) {
  constexpr std::string_view kProtocol = "http/1.1";
  for (unsigned at = 0; at < in_size;) {
    unsigned const size = in[at];
    if (size > in_size - at - 1) break;
    bool const is_ours =
        size == kProtocol.size() &&
        std::equal(kProtocol.begin(), kProtocol.end(), in + at + 1, [](char c, unsigned char byte) {
          return static_cast<unsigned char>(c) == byte;
        });
    if (is_ours) {
      *out = in + at + 1;
      *out_size = in[at];
      return SSL_TLSEXT_ERR_OK;
    }
    at += size + 1;
  }
  return SSL_TLSEXT_ERR_NOACK;
}

Result<void> ask_for_client_certificates(SSL_CTX* context, TlsOptions const& options) {
  if (SSL_CTX_load_verify_file(context, options.client_ca_file.c_str()) != 1) {
    return failed("read the client authorities in " + options.client_ca_file);
  }
  auto* const names = SSL_load_client_CA_file(options.client_ca_file.c_str());
  if (names == nullptr) return failed("read the client authorities in " + options.client_ca_file);
  SSL_CTX_set_client_CA_list(context, names);
  int const required = options.client_certificate_is_required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0;
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | required, nullptr);
  SSL_CTX_set_verify_depth(context, kVerifyDepthMax);
  // A resumed session would bring back a certificate verified against authorities that may have
  // been replaced since; who administers shows the certificate every time.
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
  SSL_CTX_set_num_tickets(context, 0);
  return {};
}

struct NamesDeleter {
  void operator()(GENERAL_NAMES* names) const { GENERAL_NAMES_free(names); }
};

bool is_part(std::string_view part, bool is_role) {
  return !part.empty() && part.size() <= kNamePartMax && std::ranges::all_of(part, [&](char c) {
    if ((c >= 'a' && c <= 'z') || c == '-') return true;
    return !is_role && ((c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_');
  });
}

}  // namespace

void TlsContextDeleter::operator()(ssl_ctx_st* context) const {
  SSL_CTX_free(context);
}

Result<TlsContext> make_tls_context(TlsOptions const& options) {
  ERR_clear_error();
  TlsContext context(SSL_CTX_new(TLS_server_method()));
  ENSURE(context != nullptr);
  SSL_CTX* const raw = context.get();
  SSL_CTX_set_min_proto_version(raw, TLS1_2_VERSION);
  SSL_CTX_set_options(
      raw, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  // Idle connections give their buffers back: 32 KiB each, with twenty thousand of them.
  SSL_CTX_set_mode(raw, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                            SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  if (SSL_CTX_set_cipher_list(raw, kCiphers) != 1) return failed("choose ciphers");
  if (SSL_CTX_use_certificate_chain_file(raw, options.certificate_chain_file.c_str()) != 1) {
    return failed("read the certificate in " + options.certificate_chain_file);
  }
  if (SSL_CTX_use_PrivateKey_file(raw, options.key_file.c_str(), SSL_FILETYPE_PEM) != 1) {
    return failed("read the key in " + options.key_file);
  }
  if (SSL_CTX_check_private_key(raw) != 1) {
    return failed(options.key_file + " is not the key of " + options.certificate_chain_file);
  }
  constexpr std::array<unsigned char, 5> kSessionIds = {'b', 'e', 'r', 't', 'h'};
  SSL_CTX_set_session_id_context(raw, kSessionIds.data(), kSessionIds.size());
  SSL_CTX_set_alpn_select_cb(raw, choose_protocol, nullptr);
  if (!options.client_ca_file.empty()) {
    auto const asked = ask_for_client_certificates(raw, options);
    if (!asked) return asked.error();
  }
  return context;
}

PeerName parse_peer_uri(std::string_view uri) {
  if (!uri.starts_with(kScheme)) return {};
  uri.remove_prefix(kScheme.size());
  std::size_t const slash = uri.find('/');
  if (slash == std::string_view::npos) return {};
  std::string_view const role = uri.substr(0, slash);
  std::string_view const name = uri.substr(slash + 1);
  // An operator's name has a part of its own before it: berth://admin/ROLE/NAME.
  std::size_t const inner = name.find('/');
  bool const is_name = inner == std::string_view::npos ? is_part(name, false)
                                                       : is_part(name.substr(0, inner), true) &&
                                                             is_part(name.substr(inner + 1), false);
  if (!is_part(role, true) || !is_name) return {};
  return {.role = std::string(role), .name = std::string(name)};
}

void TlsSession::Deleter::operator()(ssl_st* session) const {
  SSL_free(session);
}

TlsSession::TlsSession(ssl_ctx_st* context, int socket) : session_(SSL_new(context)) {
  ENSURE(session_ != nullptr);
  ENSURE(SSL_set_fd(session_.get(), socket) == 1);
  SSL_set_accept_state(session_.get());
}

TlsSession::Step TlsSession::step(int returned, std::size_t bytes) {
  if (returned == 1) return {.outcome = Outcome::done, .bytes = bytes};
  int const reason = SSL_get_error(session_.get(), returned);
  // The queue of errors is the thread's, not the session's: left here, it would be somebody else's.
  ERR_clear_error();
  switch (reason) {
    case SSL_ERROR_WANT_READ: return {.outcome = Outcome::wants_read};
    case SSL_ERROR_WANT_WRITE: return {.outcome = Outcome::wants_write};
    case SSL_ERROR_ZERO_RETURN: return {.outcome = Outcome::closed};
    default: return {.outcome = Outcome::failed};
  }
}

TlsSession::Step TlsSession::handshake() {
  return step(SSL_do_handshake(session_.get()), 0);
}

TlsSession::Step TlsSession::read(std::span<char> into) {
  std::size_t bytes = 0;
  int const returned = SSL_read_ex(session_.get(), into.data(), into.size(), &bytes);
  return step(returned, bytes);
}

TlsSession::Step TlsSession::write(std::string_view bytes) {
  std::size_t written = 0;
  int const returned = SSL_write_ex(session_.get(), bytes.data(), bytes.size(), &written);
  return step(returned, written);
}

void TlsSession::say_goodbye() {
  (void)SSL_shutdown(session_.get());
  ERR_clear_error();
}

PeerName TlsSession::peer() const {
  SSL* const session = session_.get();
  X509* const certificate = SSL_get0_peer_certificate(session);
  if (certificate == nullptr || SSL_get_verify_result(session) != X509_V_OK) return {};
  std::unique_ptr<GENERAL_NAMES, NamesDeleter> const names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  if (names == nullptr) return {};
  PeerName found;
  int berth_names = 0;
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
    GENERAL_NAME const* const entry = sk_GENERAL_NAME_value(names.get(), i);
    if (entry->type != GEN_URI) continue;
    ASN1_IA5STRING const* const text = entry->d.uniformResourceIdentifier;
    std::string_view const uri(reinterpret_cast<char const*>(ASN1_STRING_get0_data(text)),
                               static_cast<std::size_t>(ASN1_STRING_length(text)));
    if (!uri.starts_with(kScheme)) continue;
    ++berth_names;
    found = parse_peer_uri(uri);
  }
  // Two names would let whoever reads first and whoever reads last see two people.
  return berth_names == 1 ? found : PeerName{};
}

}  // namespace berth::http
