#pragma once
// A small authority for tests: keys and certificates in files of a folder that goes away.

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

struct evp_pkey_st;
struct x509_st;

namespace berth::test {

class Folder {
 public:
  Folder();
  Folder(Folder const&) = delete;
  Folder& operator=(Folder const&) = delete;
  ~Folder();

  [[nodiscard]] std::string path(std::string_view name) const;
  void write(std::string_view name, std::string_view text) const;

 private:
  std::string root_;
};

struct Files {
  std::string certificate;  // PEM file
  std::string key;          // PEM file
};

enum class Use { server, client };

class Authority {
 public:
  // Writes NAME.pem and NAME.key.
  Authority(Folder const& folder, std::string name);
  ~Authority();
  Authority(Authority const&) = delete;
  Authority& operator=(Authority const&) = delete;

  [[nodiscard]] Files const& files() const { return files_; }

  struct Wish {
    std::string name;  // file name and common name
    std::vector<std::string>
        alt_names;  // as OpenSSL writes them: "IP:127.0.0.1", "URI:berth://admin/ada"
    Use use = Use::client;
    bool is_expired = false;
  };
  [[nodiscard]] Files issue(Wish const& wish);

 private:
  Folder const& folder_;
  std::string name_;
  Files files_;
  evp_pkey_st* key_ = nullptr;
  x509_st* certificate_ = nullptr;
  long serial_ = 1;
};

}  // namespace berth::test
