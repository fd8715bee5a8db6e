#include "daemon/ec2/service.h"

#include <algorithm>
#include <mutex>
#include <optional>

#include "berth/base/ensure.h"
#include "berth/base/entropy.h"
#include "berth/base/log.h"
#include "daemon/ec2/actions.h"
#include "daemon/ec2/errors.h"
#include "daemon/ec2/rates.h"
#include "daemon/ec2/refusals.h"
#include "daemon/ec2/request_id.h"
#include "daemon/ec2/wire/codec.h"

namespace berth::ec2 {

namespace {

constexpr std::string_view kUnknownAction = "-";
constexpr std::string_view kSuccess = "Success";
constexpr std::string_view kThrottled = "RequestLimitExceeded";
constexpr std::string_view kThrottledText = "Request limit exceeded.";
constexpr std::string_view kByTenant = "tenant";
constexpr std::chrono::milliseconds kThrottledDelay{200};
constexpr std::size_t kLongAnswerLines = 100;
constexpr Duration kComeAgain = seconds(1);  // where nobody knows when there will be room

// One request on its way; owned by whoever has to do the next step.
struct Ticket {
  std::string request_id;
  Instant started;
  wire::Service envelope = wire::Service::ec2;
  std::string_view action_name = kUnknownAction;  // of a static table
  core::Caller caller;
  std::string endpoint;
  std::vector<wire::Parameter> parameters;
  ActionRow const* row = nullptr;
  Echo echo;
  std::string_view throttled;  // as in Observation
  Duration come_again;         // zero: the answer says nothing of it
  Service::Done done;
  Service::Execute render;  // where the reply becomes an answer
};
using TicketPtr = std::shared_ptr<Ticket>;

std::string_view header_of(RequestView const& request, std::string_view lower_case_name) {
  auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  for (auto const& [name, value] : request.headers) {
    if (std::ranges::equal(name, lower_case_name, {}, lower)) return value;
  }
  return {};
}

// EC2 answers to the dates of its older versions too. All dates up to the one we speak are that one
// to us: requests of old clients are a subset, and they skip elements they do not know.
void take_older_versions(std::vector<wire::Parameter>& parameters) {
  std::string_view const ours = wire::info(wire::Service::ec2).version;
  for (wire::Parameter& p : parameters) {
    if (p.name != "Version" || p.value.size() != ours.size()) continue;
    bool is_date = true;
    for (std::size_t i = 0; i < ours.size(); ++i) {
      bool const is_digit = p.value[i] >= '0' && p.value[i] <= '9';
      is_date = is_date && (ours[i] == '-' ? p.value[i] == '-' : is_digit);
    }
    // STS has a date of its own within that range.
    if (is_date && p.value < ours && p.value != wire::info(wire::Service::sts).version) {
      p.value = ours;
    }
  }
}

// How much there is to render, roughly: instances, types, images, tags.
std::size_t lines_of(core::Reply const& reply) {
  return std::visit(
      []<class T>(T const& r) -> std::size_t {
        if constexpr (std::is_same_v<T, core::Reservations>) {
          std::size_t lines = 0;
          for (core::ReservationView const& one : r.items) lines += one.instances.size();
          return lines;
        } else if constexpr (std::is_same_v<T, core::Launched>) {
          return r.reservation.instances.size();
        } else if constexpr (requires { r.items.size(); }) {
          return r.items.size();
        } else {
          return 1;
        }
      },
      reply);
}

}  // namespace

struct Service::Impl {
  ServiceOptions options;
  core::Gate& gate;
  Clock& clock;
  VerifyOptions verify_options;
  InstanceTexts texts;
  Rates rates;
  Refusals refusals;
  // Not std::atomic<std::shared_ptr>: the thread sanitizer does not see through GCC 12's.
  std::mutex keys_mutex;
  KeyTablePtr keys = std::make_shared<KeyTable const>();

  KeyTablePtr current_keys() {
    std::lock_guard const lock(keys_mutex);
    return keys;
  }

  void answer(Ticket& ticket, unsigned status, std::string_view code, std::string body) {
    if (options.observe) {
      options.observe({.action = ticket.action_name,
                       .code = std::string(code),
                       .http_status = status,
                       .latency = clock.now().monotonic - ticket.started,
                       .throttled = ticket.throttled});
    }
    Answer out{.status = status,
               .content_type = std::string(wire::kContentType),
               .body = std::move(body),
               .headers = {{"x-amzn-RequestId", ticket.request_id},
                           {"Cache-Control", "no-cache, no-store"}}};
    if (ticket.come_again.ns > 0) {
      // The request's id is as random as anything.
      std::uint64_t const random = std::hash<std::string>()(ticket.request_id);
      out.headers.emplace_back("Retry-After",
                               std::to_string(retry_after_s(ticket.come_again, random)));
      // Who does not wait by itself is made to: its flood is then as slow as its connections are
      // few, and costs the other tenants nothing.
      if (ticket.throttled == kByTenant)
        out.delay = kThrottledDelay * (2 + static_cast<int>(random % 3)) / 3;
    }
    ticket.done(std::move(out));
  }

  void refuse(Ticket& ticket, Ec2Error const& error) {
    if (error.http_status == 503 && ticket.come_again.ns == 0) ticket.come_again = kComeAgain;
    answer(ticket, static_cast<unsigned>(error.http_status), error.code,
           wire::render_error(error, ticket.request_id, ticket.envelope));
  }

  void refuse(Ticket& ticket, Error const& error) {
    Ec2Error const shown = to_ec2(error);
    if (shown.code == "InternalError") {
      log_error("request failed inside", {{"request_id", ticket.request_id},
                                          {"action", ticket.action_name},
                                          {"code", name(error.code)},
                                          {"subject", error.subject},
                                          {"message", error.message}});
    }
    if (error.subject == "queue") {
      ticket.throttled = error.code == Code::throttled ? "region" : "late";
    }
    refuse(ticket, shown);
  }

  void refuse_for_now(Ticket& ticket, std::string_view throttled, Duration wait) {
    ticket.throttled = throttled;
    ticket.come_again = wait;
    refuse(ticket, Ec2Error{std::string(kThrottled), 503, std::string(kThrottledText)});
  }

  // Too much is asked of the daemon, and this request would be refused once it is parsed: then it
  // is refused before anything dear is done for it, its signature included.
  bool has_room(Ticket& ticket);
  // Signature, then action. On error the refusal has been answered.
  bool identify(Ticket& ticket, RequestView const& request);
  void audit_refusal(Ticket const& ticket, SignedRequest const& request, Ec2Error const& error);
  void audit_counted_refusals();
  void parse_and_submit(TicketPtr const& ticket);
  void take_reply(TicketPtr const& ticket, Result<core::Reply> reply);
  void conclude(Ticket& ticket, Result<core::Reply> const& reply, std::string_view console);
};

void Service::Impl::audit_refusal(Ticket const& ticket, SignedRequest const& request,
                                  Ec2Error const& error) {
  if (!refusals.take(ticket.caller.source, clock.now().monotonic)) return;
  auto const claim = parse_authorization(request, options.presigned);
  gate.submit(core::AuthenticationRefused{.source = ticket.caller.source,
                                          .request_id = ticket.request_id,
                                          .claimed_key = claim ? claim->access_key_id : "",
                                          .action_name = std::string(
                                              wire::value_of(ticket.parameters, "Action")),
                                          .code = error.code},
              {});
}

void Service::Impl::audit_counted_refusals() {
  for (Refusals::Summary const& s : refusals.due(clock.now().monotonic)) {
    gate.submit(core::AuthenticationRefused{.source = s.address,
                                            .request_id = "",
                                            .claimed_key = "",
                                            .action_name = "",
                                            .code = std::to_string(s.count) +
                                                    " more refused within a minute"},
                {});
  }
}

bool Service::Impl::has_room(Ticket& ticket) {
  Ec2Result<wire::Action> const action = wire::identify(ticket.parameters, ticket.envelope);
  if (!action || gate.has_room(likely_class(*action, ticket.parameters))) return true;
  refuse_for_now(ticket, "region", kComeAgain);
  return false;
}

bool Service::Impl::identify(Ticket& ticket, RequestView const& request) {
  SignedRequest const signed_request{.method = request.method,
                                     .target = request.target,
                                     .headers = request.headers,
                                     .body = request.body};
  thread_local SigningKeyCache cache;  // derived keys, one table per thread as its header asks
  Ec2Result<Verified> const who =
      verify(signed_request, *current_keys(), clock.now().wall, verify_options, cache);
  if (!who) {
    audit_refusal(ticket, signed_request, who.error());
    refuse(ticket, who.error());
    return false;
  }
  ticket.caller.tenant = who->tenant;
  ticket.caller.key = who->access_key_id;
  wire::Service const service =
      who->service == wire::info(wire::Service::sts).name ? wire::Service::sts : wire::Service::ec2;
  ticket.envelope = service;
  Ec2Result<wire::Action> const action = wire::identify(ticket.parameters, service);
  if (!action) {
    refuse(ticket, action.error());
    return false;
  }
  ticket.row = &row_of(*action);
  ticket.action_name = wire::info(*action).name;
  Duration const wait = rates.admit(who->tenant, *action, ticket.parameters, clock.now().monotonic);
  if (wait.ns > 0) {
    refuse_for_now(ticket, kByTenant, wait);
    return false;
  }
  return true;
}

void Service::Impl::parse_and_submit(TicketPtr const& ticket) {
  Ec2Result<Parsed> parsed = ticket->row->parse(ticket->parameters);
  if (!parsed) return refuse(*ticket, parsed.error());
  ticket->echo = std::move(parsed->echo);
  ticket->parameters = {};
  gate.submit(core::ApiCall{.caller = ticket->caller,
                            .action_name = std::string(ticket->action_name),
                            .dry_run = parsed->dry_run,
                            .action = std::move(parsed->action)},
              [this, ticket](Result<core::Reply> reply) { take_reply(ticket, std::move(reply)); });
}

// On the driver's thread: nothing here but handing on.
void Service::Impl::take_reply(TicketPtr const& ticket, Result<core::Reply> reply) {
  auto held = std::make_shared<Result<core::Reply> const>(std::move(reply));
  core::ConsoleAt const* console = nullptr;
  if (*held) console = std::get_if<core::ConsoleAt>(&**held);
  if (options.execute_long && *held && lines_of(**held) > kLongAnswerLines) {
    if (options.execute_long([this, ticket, held] { conclude(*ticket, *held, ""); })) return;
    ticket->render([this, ticket] { refuse_for_now(*ticket, "region", kComeAgain); });
    return;
  }
  if (console == nullptr || !console->host || !options.read_console) {
    ticket->render([this, ticket, held] { conclude(*ticket, *held, ""); });
    return;
  }
  options.execute([this, ticket, held, console] {
    options.read_console(*console->host, console->instance,
                         [this, ticket, held](Result<std::string> text) {
                           options.execute([this, ticket, held, text = std::move(text)] {
                             if (!text) return refuse(*ticket, text.error());
                             conclude(*ticket, *held, *text);
                           });
                         });
  });
}

void Service::Impl::conclude(Ticket& ticket, Result<core::Reply> const& reply,
                             std::string_view console) {
  if (!reply) return refuse(ticket, reply.error());
  if (std::holds_alternative<core::WouldSucceed>(*reply)) {
    return refuse(ticket, dry_run_succeeded());
  }
  Rendering const about{.action = ticket.row->action,
                        .request_id = ticket.request_id,
                        .region = options.region,
                        .endpoint = ticket.endpoint,
                        .now = clock.now().wall,
                        .echo = ticket.echo,
                        .console = console,
                        .texts = &texts};
  answer(ticket, 200, kSuccess, ticket.row->render(*reply, about));
}

Service::Service(ServiceOptions options, core::Gate& gate, Clock& clock)
    : impl_(new Impl{.options = std::move(options),
                     .gate = gate,
                     .clock = clock,
                     .verify_options = {},
                     .rates = Rates(options.rate_percent),
                     .refusals = {},
                     .keys_mutex = {}}) {
  ENSURE(impl_->options.execute != nullptr);
  impl_->verify_options.clock_window = impl_->options.clock_window;
  impl_->verify_options.region = impl_->options.region;
  impl_->verify_options.presigned = impl_->options.presigned;
}

Service::~Service() = default;

void Service::publish(KeyTablePtr keys) {
  ENSURE(keys != nullptr);
  impl_->rates.keep_only(*keys);
  std::lock_guard const lock(impl_->keys_mutex);
  impl_->keys = std::move(keys);
}

void Service::handle(RequestView const& request, Done done, Execute render) {
  thread_local KernelEntropy entropy;  // buffered, and not shared between threads
  auto ticket = std::make_shared<Ticket>();
  ticket->request_id = request_id(entropy);
  ticket->started = impl_->clock.now().monotonic;
  ticket->done = std::move(done);
  ticket->render = render ? std::move(render) : impl_->options.execute;
  ticket->endpoint = header_of(request, "host");
  ticket->caller.source = request.peer;
  ticket->caller.request_id = ticket->request_id;
  impl_->audit_counted_refusals();
  auto parameters = wire::parse_query({.method = request.method,
                                       .target = request.target,
                                       .content_type = header_of(request, "content-type"),
                                       .body = request.body});
  if (!parameters) return impl_->refuse(*ticket, parameters.error());
  ticket->parameters = *std::move(parameters);
  ticket->envelope = wire::service_of(ticket->parameters);
  take_older_versions(ticket->parameters);
  if (!impl_->has_room(*ticket)) return;
  if (!impl_->identify(*ticket, request)) return;
  if (!ticket->row->is_slow_to_parse) return impl_->parse_and_submit(ticket);
  impl_->options.execute([impl = impl_.get(), ticket] { impl->parse_and_submit(ticket); });
}

}  // namespace berth::ec2
