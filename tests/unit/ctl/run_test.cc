#include "ctl/run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "daemon/core/audit.h"

namespace berth::ctl {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

// A daemon that says what the test tells it to.
struct Desk {
  std::ostringstream out, err;
  std::vector<std::string> asked;  // "GET /v1/zones", with the body behind it
  std::vector<Response> answers;   // in order; the last one stays
  bool is_json = false;

  Result<void> run_words(std::vector<std::string> const& words) {
    Result<CommandLine> const line = parse(words);
    if (!line) return line.error();
    Session session{.exchange = [this](Request const& request) -> Result<Response> {
                      asked.push_back(request.method + " " + request.target +
                                      (request.body.empty() ? "" : " " + request.body));
                      if (request.file >= 0 && request.on_progress)
                        request.on_progress(request.file_bytes);
                      Response const answer = answers.front();
                      if (answers.size() > 1) answers.erase(answers.begin());
                      return answer;
                    },
                    .is_json = is_json,
                    .out = out,
                    .err = err};
    return run(std::get<Command>(line->what), session);
  }
};

// Gone with the test.
class Scratch {
 public:
  Scratch() { EXPECT_NE(::mkdtemp(directory_.data()), nullptr); }
  Scratch(Scratch const&) = delete;
  Scratch& operator=(Scratch const&) = delete;
  ~Scratch() { std::filesystem::remove_all(directory_); }
  [[nodiscard]] std::string path(std::string const& name) const { return directory_ + "/" + name; }

 private:
  std::string directory_ = (std::filesystem::temp_directory_path() / "berth-ctl-XXXXXX").string();
};

TEST(Run, a_list_gathers_every_page) {
  Desk desk{.answers = {{200, R"({"items":[{"access_key_id":"A"}],"next":"A b"})"},
                        {200, R"({"items":[{"access_key_id":"B"}],"next":null})"}}};
  ASSERT_TRUE(desk.run_words({"key", "list", "--tenant=1"}));
  EXPECT_THAT(desk.asked,
              ElementsAre("GET /v1/keys?tenant=1", "GET /v1/keys?tenant=1&after=A%20b"));
  EXPECT_EQ(desk.out.str(),
            "ACCESS KEY  TENANT  ENABLED  CREATED\nA           -       no       -\nB           -   "
            "    no       -\n");
}

TEST(Run, json_is_the_APIs_own) {
  Desk desk{.answers = {{200, R"({"items":[{"id":"1"}],"next":"1"})"},
                        {200, R"({"items":[{"id":"2"}],"next":null})"}},
            .is_json = true};
  ASSERT_TRUE(desk.run_words({"tenant", "list"}));
  EXPECT_EQ(desk.out.str(), "{\"items\":[{\"id\":\"1\"},{\"id\":\"2\"}],\"next\":null}\n");
  Desk one{.answers = {{201, R"({"id":"1","name":"acme"})"}}, .is_json = true};
  ASSERT_TRUE(one.run_words({"tenant", "create", "acme"}));
  EXPECT_EQ(one.out.str(), "{\"id\":\"1\",\"name\":\"acme\"}\n");
}

TEST(Run, a_daemon_that_gives_one_page_for_ever_is_cut_off) {
  Desk desk{.answers = {{200, R"({"items":[],"next":"same"})"}}};
  EXPECT_EQ(exit_code(desk.run_words({"zone", "list"}).error()), Exit::unreachable);
}

TEST(Run, inputs_go_where_the_API_takes_them) {
  Desk desk{.answers = {{200, R"({"name":"x"})"}}};
  ASSERT_TRUE(
      desk.run_words({"zone", "create", "us-east-1a", "--jurisdiction=US", "--operator=A \"B\""}));
  ASSERT_TRUE(desk.run_words({"host", "cordon", "a/b c"}));
  ASSERT_TRUE(desk.run_words({"key", "disable", "AKIA"}));
  ASSERT_TRUE(
      desk.run_words({"type", "put", "m5.large", "--vcpus=2", "--memory_mib=8192", "--burstable"}));
  ASSERT_TRUE(desk.run_words({"zone", "create", "us-east-1b"}));
  EXPECT_THAT(
      desk.asked,
      ElementsAre(R"(PUT /v1/zones/us-east-1a {"jurisdiction":"US","operator":"A \"B\""})",
                  "POST /v1/hosts/a%2Fb%20c/cordon", R"(PATCH /v1/keys/AKIA {"enabled":false})",
                  R"(PUT /v1/types/m5.large {"vcpus":2,"memory_mib":8192,"burstable":true})",
                  "PUT /v1/zones/us-east-1b"));
}

TEST(Run, a_refusal_is_the_daemons_words_and_exit_code_1) {
  Desk desk{
      .answers = {
          {409,
           R"({"error":{"code":"conflict","subject":"host-in-use","message":"host 'h' still holds 3","request_id":"r-1"}})"}}};
  Result<void> const done = desk.run_words({"host", "remove", "h"});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().message, "host 'h' still holds 3 (request r-1)");
  EXPECT_EQ(exit_code(done.error()), Exit::refused);
  Desk plain{.answers = {{503, "Service Unavailable\n"}}};
  EXPECT_THAT(plain.run_words({"status"}).error().message,
              HasSubstr("HTTP status 503: Service Unavailable"));
}

TEST(Run, an_answer_that_is_no_JSON_is_exit_code_3) {
  Desk desk{.answers = {{200, "<html>"}}};
  EXPECT_EQ(exit_code(desk.run_words({"status"}).error()), Exit::unreachable);
}

TEST(Run, a_new_keys_secret_is_shown) {
  Desk desk{
      .answers = {{201, R"({"access_key_id":"AKIA","secret_access_key":"s/+","tenant":"1"})"}}};
  ASSERT_TRUE(desk.run_words({"key", "create", "1"}));
  EXPECT_THAT(desk.asked, ElementsAre(R"(POST /v1/keys {"tenant":"1"})"));
  EXPECT_THAT(desk.out.str(), HasSubstr("access key id      AKIA\nsecret access key  s/+\n"));
}

TEST(Run, a_quota_keeps_what_is_not_given) {
  std::string const tenant =
      R"({"id":"1","quota":{"instances":1,"vcpus":2,"memory_mib":3,"disk_gib":4,"key_pairs":5,"images":6}})";
  Desk desk{.answers = {{200, tenant}}};
  ASSERT_TRUE(desk.run_words({"tenant", "quota", "1", "--vcpus=80"}));
  EXPECT_THAT(
      desk.asked,
      ElementsAre(
          "GET /v1/tenants/1",
          R"(PATCH /v1/tenants/1 {"quota":{"disk_gib":4,"images":6,"instances":1,"key_pairs":5,"memory_mib":3,"vcpus":80}})"));
  Desk look{.answers = {{200, tenant}}};
  ASSERT_TRUE(look.run_words({"tenant", "quota", "1"}));
  EXPECT_THAT(look.asked, ElementsAre("GET /v1/tenants/1"));
}

char const kEnrolled[] =
    R"({"host_id":"host-1","name":"h","zone":"z","token":"berth1.secret","token_expires":"2026-01-01T00:00:00.000Z","daemon":"d:8774"})";

TEST(Run, enrolment_prints_the_token_and_the_agents_command) {
  Desk desk{.answers = {{201, kEnrolled}}};
  ASSERT_TRUE(desk.run_words({"host", "enroll", "h", "--zone=z", "--rack=r", "--tags=a=b,c=d=e"}));
  EXPECT_THAT(
      desk.asked,
      ElementsAre(
          R"(POST /v1/hosts {"name":"h","zone":"z","rack":"r","tags":{"a":"b","c":"d=e"}})"));
  EXPECT_THAT(desk.out.str(), HasSubstr("<<< berth1.secret\n"));
  EXPECT_THAT(desk.out.str(),
              HasSubstr("berth-agent --daemon=d:8774 --join_file=/etc/berth/join\n"));
}

TEST(Run, a_join_file_holds_the_token_for_its_owner_alone) {
  Scratch const scratch;
  std::string const path = scratch.path("join");
  std::ofstream(path) << "an older and longer token that must go";
  Desk desk{.answers = {{201, kEnrolled}}};
  ASSERT_TRUE(desk.run_words({"host", "enroll", "h", "--zone=z", "--join_file=" + path}));
  std::ifstream file(path);
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(file), {}), "berth1.secret\n");
  struct stat facts{};
  ASSERT_EQ(::stat(path.c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777, 0600U);
  EXPECT_THAT(desk.out.str(), Not(HasSubstr("berth1.secret")));
  EXPECT_THAT(desk.out.str(), HasSubstr("--join_file=" + path));
}

TEST(Run, a_join_file_that_cannot_be_made_enrols_nobody) {
  Desk desk{.answers = {{201, kEnrolled}}};
  Result<void> const done =
      desk.run_words({"host", "enroll", "h", "--zone=z", "--join_file=/nowhere/at/all"});
  EXPECT_EQ(exit_code(done.error()), Exit::usage);
  EXPECT_TRUE(desk.asked.empty());
}

TEST(Run, an_import_streams_the_file_and_tells_how_far_it_is) {
  Scratch const scratch;
  std::string const path = scratch.path("disk.img");
  std::ofstream(path) << "0123456789";
  Desk desk{.answers = {{201, R"({"id":"ami-1","name":"tiny","digest":"d"})"}}};
  ASSERT_TRUE(
      desk.run_words({"image", "import", path, "--name=tiny", "--format=qcow2", "--public"}));
  EXPECT_THAT(desk.asked, ElementsAre("POST /v1/images?name=tiny&format=qcow2&public=true"));
  EXPECT_EQ(desk.out.str(), "image tiny has id ami-1, digest d\n");
  EXPECT_EQ(desk.err.str(), "100%  10 B of 10 B\n");
}

TEST(Run, a_file_that_is_none_is_refused_before_anybody_is_asked) {
  for (std::string const& path :
       {std::string("/nowhere"), std::string("/dev/zero"), std::string("/tmp")}) {
    Desk desk{.answers = {{201, "{}"}}};
    Result<void> const done = desk.run_words({"image", "import", path, "--name=n", "--format=raw"});
    ASSERT_FALSE(done) << path;
    EXPECT_EQ(exit_code(done.error()), Exit::usage);
    EXPECT_TRUE(desk.asked.empty());
  }
}

TEST(Run, status_of_an_empty_region_says_what_to_do_next) {
  Desk desk{
      .answers = {
          {200,
           R"({"region":"us-east-1","term":3,"version":"1","tenants":0,"images":0,"types":192,"hosts":{"up":0},"instances":{"running":0},"zones":[]})"}}};
  ASSERT_TRUE(desk.run_words({"status"}));
  EXPECT_EQ(desk.out.str(),
            "region     us-east-1, berthd 1, term 3\nhosts      none\ninstances  none\n"
            "catalogue  192 types, 0 images, 0 tenants\n\nNo zone yet. Make the first: berthctl "
            "zone create us-east-1a\n");
}

// ---- The audit chain

std::string item(core::AuditRecord const& r) {
  return R"({"number":)" + std::to_string(r.number) + R"(,"time_ms":)" + std::to_string(r.time.ms) +
         R"(,"actor":")" + r.actor +
         R"(","source":"unix","request_id":"q","action":"a","subjects":["s1","s2"],"outcome":"ok","digest":")" +
         r.digest + "\"}";
}
std::vector<core::AuditRecord> chain(std::uint64_t count) {
  std::vector<core::AuditRecord> out;
  std::string digest;
  for (std::uint64_t n = 1; n <= count; ++n) {
    core::AuditRecord record{.number = n,
                             .time = WallTime{1'000},
                             .actor = "admin/root",
                             .source = "unix",
                             .request_id = "q",
                             .action = "a",
                             .subjects = {"s1", "s2"},
                             .outcome = "ok"};
    record.digest = digest = core::chained_digest(digest, record);
    out.push_back(record);
  }
  return out;
}
Response page(std::vector<core::AuditRecord> const& records, std::string const& next) {
  std::string body = R"({"items":[)";
  for (std::size_t i = 0; i < records.size(); ++i) body += (i ? "," : "") + item(records[i]);
  return {200, body + R"(],"next":)" + (next.empty() ? "null" : "\"" + next + "\"") + "}"};
}

TEST(AuditVerify, an_unbroken_chain_is_intact_across_pages) {
  std::vector<core::AuditRecord> const all = chain(3);
  Desk desk{.answers = {page({all[0], all[1]}, "3"), page({all[2]}, "")}};
  Result<void> const done = desk.run_words({"audit", "verify"});
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_EQ(desk.out.str(), "3 records, the chain is intact\n3 " + all[2].digest + "\n");
  EXPECT_THAT(desk.asked,
              ElementsAre("GET /v1/audit?first=1&count=1000", "GET /v1/audit?first=3&count=1000"));
}

TEST(AuditVerify, a_changed_record_is_located) {
  std::vector<core::AuditRecord> all = chain(4);
  all[2].actor = "admin/rooT";
  Desk desk{.answers = {page(all, "")}};
  Result<void> const done = desk.run_words({"audit", "verify"});
  ASSERT_FALSE(done);
  EXPECT_THAT(done.error().message, HasSubstr("BROKEN at record 3"));
  EXPECT_EQ(exit_code(done.error()), Exit::refused);
}

TEST(AuditVerify, a_missing_record_is_located) {
  std::vector<core::AuditRecord> all = chain(4);
  all.erase(all.begin() + 1);
  Desk desk{.answers = {page(all, "")}};
  EXPECT_THAT(desk.run_words({"audit", "verify"}).error().message,
              HasSubstr("after record 1 comes 3, not 2"));
}

}  // namespace
}  // namespace berth::ctl
