#include "tests/load/requests.h"

#include "berth/base/digest.h"
#include "daemon/ec2/sigv4.h"

namespace berth::load {

std::string signed_request(Signer const& signer, Form const& form, WallTime now) {
  std::string body = "Version=2016-11-15";
  for (auto const& [name, value] : form) body += "&" + name + "=" + value;
  std::string const time = iso8601_basic(now);
  std::vector<std::pair<std::string_view, std::string_view>> const headers = {
      {"Host", signer.host},
      {"X-Amz-Date", time},
      {"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"}};
  ec2::Authorization const scope{.access_key_id = signer.key_id,
                                 .date = time.substr(0, 8),
                                 .region = signer.region,
                                 .service = "ec2",
                                 .signed_headers = {"host", "x-amz-date"},
                                 .time = time};
  ec2::SignedRequest const request{
      .method = "POST", .target = "/", .headers = headers, .body = body};
  std::string const signature = ec2::signature(
      signer.secret, scope,
      ec2::string_to_sign(scope, ec2::canonical_request(request, scope, hex(sha256(body)))));
  std::string out = "POST / HTTP/1.1\r\n";
  for (auto const& [name, value] : headers) {
    out += std::string(name) + ": " + std::string(value) + "\r\n";
  }
  out += "Authorization: AWS4-HMAC-SHA256 Credential=" + signer.key_id + "/" + scope.date + "/" +
         signer.region +
         "/ec2/aws4_request, SignedHeaders=host;x-amz-date, Signature=" + signature +
         "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  return out;
}

}  // namespace berth::load
