#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "daemon/admin/image_store.h"
#include "tests/unit/admin/fake_gate.h"

namespace berth::admin {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

char const kTarget[] =
    "/v1/images?name=tiny&format=qcow2&public=true&tenant=123456789012&description=a%20b";

std::string digest_of(std::string_view bytes) {
  return hex(sha256(bytes));
}

struct Imports : Bench {
  std::vector<Image> registered;

  Imports() {
    gate.answer = [this](core::AdminCall const& call) -> Result<core::Reply> {
      if (auto const* ask = std::get_if<core::RegisterImage>(&call.action)) {
        Image image{.id = ImageId("ami-" + std::to_string(registered.size())),
                    .name = ask->name,
                    .digest = ask->digest};
        registered.push_back(image);
        return core::Reply(core::Images{{image}});
      }
      if (auto const* gone = std::get_if<core::DeleteImage>(&call.action)) {
        if (std::erase_if(registered, [&](Image const& i) { return i.id.value == gone->id; }) == 0)
          return Error{Code::not_found, "image", "no image"};
        return core::Reply(core::Done{});
      }
      if (std::holds_alternative<core::ListInstances>(call.action))
        return core::Reply(core::InstanceList{});
      return core::Reply(core::Images{registered});
    };
  }
  std::unique_ptr<UploadSink> begin(std::string const& target = kTarget) const {
    Upload upload = service->begin_upload(request("POST", target));
    auto* sink = std::get_if<std::unique_ptr<UploadSink>>(&upload);
    return sink == nullptr ? nullptr : std::move(*sink);
  }
  static Answer finish(UploadSink& sink) {
    std::vector<Answer> answers;
    sink.finish([&](Answer answer) { answers.push_back(std::move(answer)); });
    ENSURE(answers.size() == 1);
    return answers.front();
  }
  Answer import(std::string_view bytes, std::string const& target = kTarget) const {
    std::unique_ptr<UploadSink> sink = begin(target);
    EXPECT_TRUE(sink->write(bytes));
    return finish(*sink);
  }
};

TEST(Upload, an_image_is_kept_under_its_digest_and_registered) {
  Imports bench;
  std::unique_ptr<UploadSink> sink = bench.begin();
  ASSERT_TRUE(sink);
  ASSERT_TRUE(sink->write("hello "));
  ASSERT_TRUE(sink->write("world"));
  EXPECT_THAT(bench.images.files(), ElementsAre(testing::StartsWith(".import-")));
  Answer const answer = Imports::finish(*sink);
  EXPECT_EQ(answer.status, 201U) << answer.body;
  EXPECT_THAT(answer.body, HasSubstr("\"id\":\"ami-0\""));
  EXPECT_THAT(bench.images.files(), ElementsAre(digest_of("hello world")));
  auto const& call = bench.gate.action<core::RegisterImage>(0);
  EXPECT_EQ(call.name, "tiny");
  EXPECT_EQ(call.description, "a b");
  EXPECT_EQ(call.owner, "123456789012");
  EXPECT_TRUE(call.is_public);
  EXPECT_EQ(call.format, ImageFormat::qcow2);
  EXPECT_EQ(call.digest, digest_of("hello world"));
  EXPECT_EQ(call.file_size, Bytes(11));
  EXPECT_EQ(call.virtual_size, Bytes(4096));
}

TEST(Upload, a_client_that_leaves_leaves_nothing) {
  Imports bench;
  std::unique_ptr<UploadSink> sink = bench.begin();
  ASSERT_TRUE(sink->write("half"));
  sink.reset();
  EXPECT_THAT(bench.images.files(), IsEmpty());
  EXPECT_THAT(bench.gate.calls, IsEmpty());
}

TEST(Upload, what_the_inspector_refuses_leaves_nothing) {
  Imports bench;
  std::vector<std::string> seen;
  bench.options.inspect = [&](std::filesystem::path const& path, ImageFormat) {
    std::ifstream file(path);
    seen.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
    return Result<ImageFacts>(Error{Code::invalid, "image", "has a backing file"});
  };
  bench.restart();
  Answer const answer = bench.import("evil");
  EXPECT_EQ(answer.status, 400U);
  EXPECT_THAT(answer.body, HasSubstr("has a backing file"));
  EXPECT_THAT(seen, ElementsAre("evil"));
  EXPECT_THAT(bench.images.files(), IsEmpty());
  EXPECT_THAT(bench.gate.calls, IsEmpty());
}

TEST(Upload, what_the_core_refuses_leaves_nothing) {
  Imports bench;
  bench.gate.answer = [](core::AdminCall const&) {
    return Result<core::Reply>(Error{Code::exists, "image", "taken"});
  };
  EXPECT_EQ(bench.import("bytes").status, 409U);
  EXPECT_THAT(bench.images.files(), IsEmpty());
}

TEST(Upload, a_refused_import_of_known_bytes_leaves_the_older_image_its_file) {
  Imports bench;
  EXPECT_EQ(bench.import("bytes").status, 201U);
  bench.gate.answer = [](core::AdminCall const&) {
    return Result<core::Reply>(Error{Code::exists, "image", "taken"});
  };
  EXPECT_EQ(bench.import("bytes").status, 409U);
  EXPECT_THAT(bench.images.files(), ElementsAre(digest_of("bytes")));
}

TEST(Upload, an_empty_file_and_an_empty_request_are_refused) {
  Imports bench;
  EXPECT_EQ(Imports::finish(*bench.begin()).status, 400U);
  EXPECT_EQ(bench.ask("POST", kTarget).status, 400U);
  EXPECT_THAT(bench.images.files(), IsEmpty());
}

TEST(Upload, a_broken_head_is_refused_before_a_byte_is_taken) {
  Imports bench;
  for (char const* target :
       {"/v1/images", "/v1/images?name=a", "/v1/images?name=a&format=vmdk",
        "/v1/images?name=a&format=raw&digest=1", "/v1/images?name=a&format=raw&public=1"}) {
    Upload const upload = bench.service->begin_upload(Bench::request("POST", target));
    ASSERT_TRUE(std::holds_alternative<Answer>(upload)) << target;
    EXPECT_EQ(std::get<Answer>(upload).status, 400U) << target;
  }
  EXPECT_THAT(bench.images.files(), IsEmpty());
}

TEST(Upload, other_requests_are_read_whole) {
  Imports bench;
  EXPECT_TRUE(std::holds_alternative<std::monostate>(
      bench.service->begin_upload(Bench::request("POST", "/v1/tenants"))));
  EXPECT_TRUE(std::holds_alternative<std::monostate>(
      bench.service->begin_upload(Bench::request("GET", "/v1/images"))));
  EXPECT_TRUE(std::holds_alternative<std::monostate>(
      bench.service->begin_upload(Bench::request("POST", "/nowhere"))));
}

TEST(Upload, so_many_run_at_a_time_and_no_more) {
  Imports bench;
  std::vector<std::unique_ptr<UploadSink>> running;
  for (int i = 0; i < kUploadsMax; ++i) running.push_back(bench.begin());
  EXPECT_TRUE(running.back());
  Upload const refused = bench.service->begin_upload(Bench::request("POST", kTarget));
  EXPECT_EQ(std::get<Answer>(refused).status, 429U);
  running.pop_back();
  EXPECT_TRUE(bench.begin());
}

TEST(Upload, a_refused_write_is_answered_and_cleaned) {
  Imports bench;
  std::unique_ptr<UploadSink> sink = bench.begin();
  ASSERT_TRUE(sink->write("half"));
  std::vector<unsigned> statuses;
  sink->refuse(Error{Code::unavailable, "image-store", "full"},
               [&](Answer const& answer) { statuses.push_back(answer.status); });
  EXPECT_THAT(statuses, ElementsAre(503U));
  EXPECT_THAT(bench.images.files(), IsEmpty());
}

TEST(Upload, an_import_that_a_crash_cut_off_is_removed_at_the_next_start) {
  Imports bench;
  EXPECT_EQ(bench.import("kept").status, 201U);
  std::ofstream(bench.images.path() / ".import-0123") << "half";
  bench.restart();
  EXPECT_THAT(bench.images.files(), ElementsAre(digest_of("kept")));
}

TEST(Upload, a_file_goes_with_its_last_image) {
  Imports bench;
  EXPECT_EQ(bench.import("bytes").status, 201U);
  EXPECT_EQ(bench.import("bytes", "/v1/images?name=twin&format=raw").status, 201U);
  EXPECT_EQ(bench.ask("DELETE", "/v1/images/ami-0").status, 200U);
  EXPECT_THAT(bench.images.files(), ElementsAre(digest_of("bytes")));
  EXPECT_EQ(bench.ask("DELETE", "/v1/images/ami-1").status, 200U);
  EXPECT_THAT(bench.images.files(), IsEmpty());
  EXPECT_EQ(bench.ask("DELETE", "/v1/images/ami-1").status, 404U);
}

TEST(Upload, a_file_that_an_instance_rests_on_stays) {
  Imports bench;
  EXPECT_EQ(bench.import("bytes").status, 201U);
  auto const before = bench.gate.answer;
  bench.gate.answer = [&](core::AdminCall const& call) -> Result<core::Reply> {
    if (!std::holds_alternative<core::ListInstances>(call.action)) return before(call);
    Instance instance;
    instance.image_digest = digest_of("bytes");
    return core::Reply(core::InstanceList{{core::InstanceView{.instance = instance}}});
  };
  EXPECT_EQ(bench.ask("DELETE", "/v1/images/ami-0").status, 200U);
  EXPECT_THAT(bench.images.files(), ElementsAre(digest_of("bytes")));
}

TEST(ImageStore, a_removal_yields_to_an_import_that_came_in_between) {
  ScratchDirectory scratch;
  ImageStore store(scratch.path());
  std::uint64_t const version = store.version();
  auto incoming = *store.begin();
  ASSERT_TRUE(incoming->write("x"));
  std::string const digest = *incoming->complete();
  ASSERT_TRUE(store.install(*incoming, digest));
  store.remove(digest, version);
  EXPECT_THAT(scratch.files(), ElementsAre(digest));
  store.remove(digest, store.version());
  EXPECT_THAT(scratch.files(), ElementsAre(digest)) << "pinned";
  store.settle(digest, true);
  store.remove(digest, store.version());
  EXPECT_THAT(scratch.files(), IsEmpty());
}

}  // namespace
}  // namespace berth::admin
