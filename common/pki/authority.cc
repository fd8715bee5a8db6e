#include "common/pki/authority.h"

#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <cstring>

#include "common/pki/secret_file.h"

namespace berth::pki {

namespace {

Validity validity(WallTime now, Duration life) {
  return {.from = now + Duration{-kBackdate.ns}, .until = now + life};
}

// Absent is an answer here, not an error.
Result<std::string> read_if_there(std::string const& path) {
  auto bytes = read_small_file(path);
  if (!bytes && bytes.error().code == Code::not_found) return std::string();
  return bytes;
}

std::string machine_name() {
  char buffer[256] = {};
  if (::gethostname(buffer, sizeof buffer - 1) != 0) return "";
  return buffer;
}

std::vector<std::string> all_names(std::vector<std::string> names) {
  for (std::string const& name :
       {std::string("127.0.0.1"), std::string("::1"), std::string("localhost"), machine_name()}) {
    if (!name.empty() && std::ranges::find(names, name) == names.end()) names.push_back(name);
  }
  return names;
}

// Is what is on disk still good to serve with?
bool is_current(KeyAndCertificate const& daemon, std::string const& ca,
                std::vector<std::string> const& names, WallTime now) {
  auto const identity = verified(daemon.certificate, ca, Role::daemon, now);
  if (!identity) return false;
  if ((identity->not_after - now).ns < (identity->not_after - identity->not_before).ns / 3) {
    return false;
  }
  auto const pair = is_pair(daemon.key, daemon.certificate);
  if (!pair || !*pair) return false;
  auto const has = addresses_of(daemon.certificate);
  return has && std::ranges::all_of(names, [&](std::string const& name) {
           return std::ranges::find(*has, name) != has->end();
         });
}

}  // namespace

Authority::Authority(std::string directory, KeyAndCertificate ca, std::string fingerprint)
    : directory_(std::move(directory)), ca_(std::move(ca)), fingerprint_(std::move(fingerprint)) {}

Result<Authority> Authority::open(std::string const& directory, WallTime now) {
  if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) {
    return Error{Code::unavailable, "file",
                 "create the directory " + directory + ": " + std::strerror(errno)};
  }
  std::string const key_path = directory + "/ca.key";
  std::string const certificate_path = directory + "/ca.crt";
  KeyAndCertificate ca;
  ca.key = TRY(read_if_there(key_path));
  ca.certificate = TRY(read_if_there(certificate_path));
  if (ca.key.empty() && !ca.certificate.empty()) {
    return Error{Code::corrupt, "certificate authority",
                 certificate_path + " is there but its key " + key_path +
                     " is not; restore the key from your backup"};
  }
  // The key goes first: a crash between the two leaves a key that has signed nothing yet.
  if (ca.key.empty()) {
    ca.key = make_key();
    TRY(write_file_atomically(key_path, ca.key, 0400));
  }
  if (ca.certificate.empty()) {
    ca.certificate = TRY(make_ca_certificate(ca.key, validity(now, kCaLife)));
    TRY(write_file_atomically(certificate_path, ca.certificate, 0444));
  }
  if (!TRY(is_pair(ca.key, ca.certificate))) {
    return Error{Code::corrupt, "certificate authority",
                 key_path + " is not the key of " + certificate_path};
  }
  std::string print = TRY(pki::fingerprint(ca.certificate));
  return Authority(directory, std::move(ca), std::move(print));
}

Result<KeyAndCertificate> Authority::daemon_certificate(std::vector<std::string> const& names,
                                                        WallTime now) const {
  std::string const key_path = directory_ + "/daemon.key";
  std::string const certificate_path = directory_ + "/daemon.crt";
  std::vector<std::string> const wanted = all_names(names);
  KeyAndCertificate daemon;
  daemon.key = TRY(read_if_there(key_path));
  daemon.certificate = TRY(read_if_there(certificate_path));
  if (!daemon.key.empty() && !daemon.certificate.empty() &&
      is_current(daemon, ca_.certificate, wanted, now)) {
    return daemon;
  }
  daemon.key = make_key();
  std::string const csr = TRY(make_csr(daemon.key));
  std::string const leaf = TRY(issue(ca_, csr, Subject{.role = Role::daemon, .addresses = wanted},
                                     validity(now, kDaemonCertificateLife)));
  daemon.certificate = leaf + ca_.certificate;
  // A crash between the two leaves a pair that does not match, which is_current refuses.
  TRY(write_file_atomically(key_path, daemon.key, 0400));
  TRY(write_file_atomically(certificate_path, daemon.certificate, 0444));
  return daemon;
}

Result<std::string> Authority::host_certificate(std::string_view csr, HostId const& host,
                                                WallTime now, Duration life) const {
  return issue(ca_, csr, Subject{.role = Role::host, .name = host.value}, validity(now, life));
}

Result<KeyAndCertificate> Authority::admin_certificate(std::string const& name, AdminRole role,
                                                       WallTime now, Duration life) const {
  KeyAndCertificate admin{.key = make_key(), .certificate = {}};
  std::string const csr = TRY(make_csr(admin.key));
  admin.certificate =
      TRY(issue(ca_, csr, Subject{.role = Role::admin, .name = name, .admin_role = role},
                validity(now, life)));
  return admin;
}

}  // namespace berth::pki
