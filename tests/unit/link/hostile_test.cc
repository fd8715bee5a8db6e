// Who is not let in, and what is not believed: every call against every kind of wrong peer.
#include <chrono>

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>

#include "agent/v1/agent.grpc.pb.h"
#include "common/pki/pki.h"
#include "common/pki/secret_file.h"
#include "common/wire/agent.h"
#include "tests/unit/link/world.h"

namespace berth::test {
namespace {

namespace pb = proto::agent::v1;

class HostileTest : public LinkTest {
 protected:
  using Stub = std::unique_ptr<pb::Link::Stub>;

  // A peer with this key and certificate (empty: none) that believes our CA.
  Stub peer(pki::KeyAndCertificate const& who = {}) {
    grpc::SslCredentialsOptions tls;
    tls.pem_root_certs = authority_->certificate();
    tls.pem_private_key = who.key;
    tls.pem_cert_chain = who.certificate;
    grpc::ChannelArguments arguments;
    arguments.SetSslTargetNameOverride(pki::kDaemonName);
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    arguments.SetMaxSendMessageSize(-1);
    return pb::Link::NewStub(grpc::CreateCustomChannel("127.0.0.1:" + std::to_string(port_),
                                                       grpc::SslCredentials(tls), arguments));
  }
  pki::KeyAndCertificate host_certificate(pki::Authority const& authority, HostId const& host,
                                          WallTime now, Duration life = hours(24)) {
    pki::KeyAndCertificate out{.key = pki::make_key(), .certificate = {}};
    out.certificate = *authority.host_certificate(*pki::make_csr(out.key), host, now, life);
    return out;
  }
  pki::KeyAndCertificate ours(HostId const& host) {
    return host_certificate(*authority_, host, clock_.now().wall);
  }
  static std::string csr() { return *pki::make_csr(pki::make_key()); }

  static void limit(grpc::ClientContext& context) {
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(10));
  }
  grpc::Status renewed(Stub const& stub, std::string const& request_csr = csr()) {
    grpc::ClientContext context;
    limit(context);
    pb::RenewRequest request;
    request.set_csr_pem(request_csr);
    pb::RenewReply reply;
    grpc::Status const status = stub->Renew(&context, request, &reply);
    EXPECT_EQ(status.ok(), !reply.certificate_pem().empty());
    return status;
  }
  grpc::Status fetched(Stub const& stub, std::string const& digest) {
    grpc::ClientContext context;
    limit(context);
    pb::FetchImageRequest request;
    request.set_digest(digest);
    auto const stream = stub->FetchImage(&context, request);
    pb::Chunk chunk;
    while (stream->Read(&chunk)) EXPECT_TRUE(chunk.data().empty()) << "bytes leaked";
    return stream->Finish();
  }
  // Says these one after the other, and how that ended.
  grpc::Status said(Stub const& stub, std::vector<pb::FromAgent> const& messages) {
    grpc::ClientContext context;
    limit(context);
    auto const stream = stub->Session(&context);
    for (pb::FromAgent const& message : messages) {
      if (!stream->Write(message)) break;
    }
    pb::FromDaemon answer;
    while (stream->Read(&answer)) {}
    return stream->Finish();
  }
  static pb::FromAgent message(wire::FromAgent const& value) {
    pb::FromAgent out;
    wire::fill(value, out);
    return out;
  }
  static pb::FromAgent hello() {
    return message(wire::Hello{.version = "1", .host_uuid = "u", .boot_id = "b"});
  }
  grpc::Status join(std::string const& token, std::string const& request_csr = csr()) {
    grpc::ClientContext context;
    limit(context);
    pb::JoinRequest request;
    request.set_token(token);
    request.set_csr_pem(request_csr);
    request.set_host_uuid("u");
    pb::JoinReply reply;
    grpc::Status const status = peer()->Join(&context, request, &reply);
    EXPECT_EQ(status.ok(), !reply.certificate_pem().empty());
    return status;
  }
};

TEST_F(HostileTest, without_or_with_a_wrong_certificate_every_call_but_join_is_refused) {
  serve();
  std::string const digest = image(host_id(1), "secret");
  pki::Authority const other = *pki::Authority::open(root_ + "/other", clock_.now().wall);
  WallTime const now = clock_.now().wall;
  pki::KeyAndCertificate self{.key = pki::make_key(), .certificate = {}};
  self.certificate = *pki::make_ca_certificate(self.key, {now, now + hours(1)});
  std::map<std::string, pki::KeyAndCertificate> const wrong{
      {"none", {}},
      {"other CA", host_certificate(other, host_id(1), now)},
      {"expired", host_certificate(*authority_, host_id(1), now, seconds(-1))},
      {"self-signed", self},
      {"admin", *authority_->admin_certificate(host_id(1).value, pki::AdminRole::admin, now)},
      {"daemon", *authority_->daemon_certificate({}, now)}};
  for (auto const& [name, who] : wrong) {
    EXPECT_FALSE(renewed(peer(who)).ok()) << name;
    EXPECT_FALSE(fetched(peer(who), digest).ok()) << name;
    EXPECT_FALSE(said(peer(who), {hello(), message(a_status(host_id(1)))}).ok()) << name;
  }
  EXPECT_EQ(core_.log.size(), 0u);
  EXPECT_EQ(core_.status_count(), 0u);
  EXPECT_EQ(server_->counters().sessions, 0u);
  EXPECT_EQ(server_->counters().renewals, 0u);
}

TEST_F(HostileTest, a_removed_host_is_refused_at_every_call) {
  serve();
  core_.removed.insert(host_id(1));
  std::string const digest = image(host_id(1), "secret");
  pki::KeyAndCertificate const who = ours(host_id(1));
  EXPECT_EQ(renewed(peer(who)).error_code(), grpc::PERMISSION_DENIED);
  EXPECT_EQ(fetched(peer(who), digest).error_code(), grpc::PERMISSION_DENIED);
  EXPECT_EQ(said(peer(who), {hello()}).error_code(), grpc::PERMISSION_DENIED);
  EXPECT_EQ(core_.log.size(), 0u);
}

TEST_F(HostileTest, a_host_cannot_speak_of_another_and_is_cut_off_for_it) {
  serve();
  auto const status = said(peer(ours(host_id(1))), {hello(), message(a_status(host_id(2)))});
  EXPECT_EQ(status.error_code(), grpc::PERMISSION_DENIED);
  EXPECT_EQ(core_.status_count(), 0u);
  EXPECT_EQ(server_->counters().messages_refused, 1u);
  EXPECT_TRUE(eventually([&] { return core_.count("gone " + host_id(1).value) == 1; }));
}

TEST_F(HostileTest, hello_comes_first_and_once) {
  serve();
  pki::KeyAndCertificate const who = ours(host_id(1));
  EXPECT_EQ(said(peer(who), {message(a_status(host_id(1)))}).error_code(), grpc::INVALID_ARGUMENT);
  EXPECT_EQ(core_.log.size(), 0u);
  EXPECT_EQ(said(peer(who), {hello(), hello()}).error_code(), grpc::INVALID_ARGUMENT);
  EXPECT_EQ(core_.count("hello " + host_id(1).value), 1u);
}

TEST_F(HostileTest, who_never_says_hello_is_cut_off) {
  auto options = server_options();
  options.hello_timeout = milliseconds(300);
  serve(std::move(options));
  EXPECT_EQ(said(peer(ours(host_id(1))), {}).error_code(), grpc::CANCELLED);
}

TEST_F(HostileTest, a_session_ends_with_its_certificate) {
  serve();
  auto const who = host_certificate(*authority_, host_id(1), clock_.now().wall, seconds(3));
  auto const begun = std::chrono::steady_clock::now();
  EXPECT_FALSE(said(peer(who), {hello()}).ok());
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(8));
  EXPECT_TRUE(eventually([&] { return core_.count("gone " + host_id(1).value) == 1; }));
}

TEST_F(HostileTest, malformed_and_oversized_messages_end_the_session_and_reach_nobody) {
  serve();
  pki::KeyAndCertificate const who = ours(host_id(1));
  HostStatus odd = a_status(host_id(1));
  odd.instances[0].seen = Seen::nothing;
  EXPECT_EQ(said(peer(who), {hello(), message(odd)}).error_code(), grpc::DATA_LOSS);
  pb::FromAgent huge;
  huge.mutable_status()->set_boot_id(std::string(33 * 1024 * 1024, 'x'));
  EXPECT_EQ(said(peer(who), {hello(), huge}).error_code(), grpc::RESOURCE_EXHAUSTED);
  EXPECT_EQ(core_.status_count(), 0u);
  EXPECT_TRUE(eventually([&] { return server_->counters().connected == 0; }));
}

TEST_F(HostileTest, a_console_reply_nobody_asked_for_is_dropped) {
  serve();
  Agent& agent = joined(2);
  agent.driver.answers_consoles = false;
  std::atomic<int> answers{0};
  server_->read_console(host_id(2), instance_id(1), [&](Result<std::string>) { ++answers; });
  // Another host guesses the request's number.
  grpc::ClientContext context;
  limit(context);
  Stub const stub = peer(ours(host_id(1)));
  auto const stream = stub->Session(&context);
  ASSERT_TRUE(stream->Write(hello()));
  for (std::uint64_t id = 0; id < 4; ++id) {
    ASSERT_TRUE(stream->Write(message(wire::ConsoleReply{id, std::string("forged")})));
  }
  ASSERT_TRUE(stream->Write(message(wire::Heartbeat{1})));
  ASSERT_TRUE(eventually([&] {
    std::lock_guard const lock(core_.mutex);
    return core_.heartbeats == 1;
  }));
  EXPECT_EQ(answers, 0);
  context.TryCancel();
  pb::FromDaemon answer;
  while (stream->Read(&answer)) {}
  (void)stream->Finish();
  agent.link->stop();
  EXPECT_TRUE(eventually([&] { return answers == 1; }));
}

TEST_F(HostileTest, a_token_is_used_once) {
  serve();
  std::string const text = token(host_id(1));
  EXPECT_TRUE(join(text).ok());
  EXPECT_EQ(join(text).error_code(), grpc::UNAUTHENTICATED);
  EXPECT_EQ(server_->counters().joins_accepted, 1u);
  EXPECT_EQ(server_->counters().joins_refused, 1u);
}

TEST_F(HostileTest, an_expired_a_foreign_and_a_malformed_token_are_refused) {
  serve();
  std::string const text = token(host_id(1));
  core_.tokens[host_id(1)].is_expired = true;
  EXPECT_EQ(join(text).error_code(), grpc::UNAUTHENTICATED);
  std::string const invented =
      pki::text(pki::make_join_token(host_id(1), authority_->fingerprint()));
  EXPECT_EQ(join(invented).error_code(), grpc::UNAUTHENTICATED);
  EXPECT_EQ(join("berth1.x.y.z").error_code(), grpc::INVALID_ARGUMENT);
  EXPECT_EQ(join("").error_code(), grpc::INVALID_ARGUMENT);
}

TEST_F(HostileTest, a_request_that_cannot_be_signed_does_not_spend_the_token) {
  serve();
  std::string const text = token(host_id(1));
  EXPECT_EQ(join(text, "nonsense").error_code(), grpc::INVALID_ARGUMENT);
  EXPECT_TRUE(join(text).ok());
}

TEST_F(HostileTest, an_agent_does_not_give_its_token_to_another_region) {
  serve();
  std::string const text = pki::text(pki::make_join_token(host_id(1), std::string(64, 'a')));
  core_.tokens[host_id(1)] = Core::Token{.digest = pki::token_digest(text)};
  Agent& agent = an_agent(1, text);
  ASSERT_TRUE(eventually([&] { return !agent.link->state().problem.empty(); }));
  EXPECT_EQ(agent.driver.connected, 0);
  EXPECT_FALSE(std::filesystem::exists(root_ + "/agent1/agent.pem"));
  // It never got as far as asking.
  EXPECT_EQ(server_->counters().joins_refused, 0u);
  EXPECT_EQ(core_.tokens.size(), 1u);
}

// A daemon's place taken by somebody with another certificate of the same region.
TEST_F(HostileTest, an_agents_or_an_admins_certificate_cannot_play_the_daemon) {
  serve();
  joined(1);
  agents_.clear();
  server_.reset();
  WallTime const now = clock_.now().wall;
  pki::KeyAndCertificate as_host = ours(host_id(2));
  pki::KeyAndCertificate as_admin =
      *authority_->admin_certificate("mallory", pki::AdminRole::admin, now);
  for (pki::KeyAndCertificate* who : {&as_host, &as_admin}) {
    who->certificate += authority_->certificate();
    auto options = server_options();
    options.certificate = *who;
    serve(std::move(options));
    Agent& known = an_agent(1);
    Agent& fresh = an_agent(5, token(host_id(5)));
    ASSERT_TRUE(eventually([&] { return !known.link->state().problem.empty(); }));
    ASSERT_TRUE(eventually([&] { return !fresh.link->state().problem.empty(); }));
    EXPECT_EQ(known.driver.connected, 0);
    EXPECT_EQ(fresh.driver.connected, 0);
    EXPECT_EQ(core_.count("hello " + host_id(1).value), 1u);
    EXPECT_EQ(server_->counters().joins_accepted, 1u - 1u);
    agents_.clear();
    server_.reset();
  }
}

TEST_F(HostileTest, an_agent_whose_certificate_has_expired_asks_for_a_new_token_and_takes_one) {
  serve();
  joined(1);
  agents_.clear();
  // The certificate of yesterday, in the same file's form.
  std::string const path = root_ + "/agent1/agent.pem";
  auto const old = host_certificate(*authority_, host_id(1), clock_.now().wall, seconds(-1));
  ASSERT_TRUE(pki::write_file_atomically(
      path, "zone z\n" + old.key + old.certificate + authority_->certificate(), 0600));
  Agent& expired = an_agent(1);
  ASSERT_TRUE(eventually(
      [&] { return expired.link->state().problem.find("new join token") != std::string::npos; }));
  agents_.clear();
  Agent& again = joined(1);
  EXPECT_EQ(again.link->state().host, host_id(1));
}

TEST_F(HostileTest, a_damaged_identity_file_is_said_and_not_replaced) {
  serve();
  joined(1);
  agents_.clear();
  std::string const path = root_ + "/agent1/agent.pem";
  std::string const whole = *pki::read_small_file(path);
  for (std::string const& damaged : {std::string(), whole.substr(0, whole.size() / 2)}) {
    ASSERT_TRUE(pki::write_file_atomically(path, damaged, 0600));
    Agent& agent = agents_.emplace_back();
    auto options = client_options(1, agent);
    options.join_token = token(host_id(1));
    agent.link = std::make_unique<agent::LinkClient>(options, agent.driver);
    EXPECT_EQ(agent.link->start().error().code, Code::corrupt);
    EXPECT_EQ(*pki::read_small_file(path), damaged);
  }
}

}  // namespace
}  // namespace berth::test
