#include "daemon/http/message.h"

#include <algorithm>

#include "berth/base/ensure.h"

namespace berth::http {
namespace {

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool same_name(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, {}, lower, lower);
}

}  // namespace

std::optional<std::string_view> Request::header(std::string_view name) const {
  for (Header const& h : headers) {
    if (same_name(h.name, name)) return h.value;
  }
  return std::nullopt;
}

std::vector<std::string_view> Request::header_values(std::string_view name) const {
  std::vector<std::string_view> values;
  for (Header const& h : headers) {
    if (same_name(h.name, name)) values.push_back(h.value);
  }
  return values;
}

std::string_view status_phrase(unsigned status) {
  switch (status) {
    case 200: return "OK";
    case 201: return "Created";
    case 202: return "Accepted";
    case 204: return "No Content";
    case 206: return "Partial Content";
    case 301: return "Moved Permanently";
    case 302: return "Found";
    case 303: return "See Other";
    case 304: return "Not Modified";
    case 307: return "Temporary Redirect";
    case 308: return "Permanent Redirect";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 406: return "Not Acceptable";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 410: return "Gone";
    case 411: return "Length Required";
    case 412: return "Precondition Failed";
    case 413: return "Content Too Large";
    case 414: return "URI Too Long";
    case 415: return "Unsupported Media Type";
    case 417: return "Expectation Failed";
    case 422: return "Unprocessable Content";
    case 428: return "Precondition Required";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 502: return "Bad Gateway";
    case 503: return "Service Unavailable";
    case 504: return "Gateway Timeout";
    case 505: return "HTTP Version Not Supported";
    case 507: return "Insufficient Storage";
    default: return "Status";
  }
}

Response plain_response(unsigned status, std::string_view text) {
  return Response{.status = status,
                  .headers = {{"Content-Type", "text/plain; charset=utf-8"}},
                  .body = std::string(text) + "\n"};
}

Responder& Responder::operator=(Responder&& other) noexcept {
  if (this != &other) {
    abandon();
    slot_ = std::move(other.slot_);
  }
  return *this;
}

Responder::~Responder() {
  abandon();
}

void Responder::run(std::function<void()> job) {
  ENSURE(slot_ != nullptr);
  slot_->run(std::move(job));
}

void Responder::operator()(Response response) {
  ENSURE(slot_ != nullptr);  // called twice: two answers to one request
  auto const slot = std::move(slot_);
  slot->deliver(std::move(response));
}

void Responder::abandon() noexcept {
  if (slot_ == nullptr) return;
  auto const slot = std::move(slot_);
  slot->deliver(plain_response(503, "the request was dropped unanswered; retry"));
}

}  // namespace berth::http
