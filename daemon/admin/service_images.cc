// Importing and deleting images: the parts of the service that handle files.
#include "daemon/admin/service_impl.h"

namespace berth::admin {
namespace {

ImageFormat format_named(std::string_view text) {
  return text == "raw" ? ImageFormat::raw : ImageFormat::qcow2;
}

}  // namespace

class ImportSink final : public UploadSink {
 public:
  ImportSink(Service::Impl& service, Shared exchange,
             std::unique_ptr<ImageStore::Incoming> incoming)
      : service_(service), exchange_(std::move(exchange)), incoming_(std::move(incoming)) {}
  ImportSink(ImportSink const&) = delete;
  ImportSink& operator=(ImportSink const&) = delete;
  ~ImportSink() override { service_.upload_ended(); }

  Result<void> write(std::string_view bytes) override {
    if (incoming_->bytes() + static_cast<std::int64_t>(bytes.size()) > limits::kImageFileBytesMax) {
      return Error{
          Code::invalid, "image",
          "the file is larger than " + std::to_string(limits::kImageFileBytesMax) + " bytes"};
    }
    return incoming_->write(bytes);
  }
  void finish(Done done) override {
    exchange_->done = std::move(done);
    service_.settle_import(exchange_, std::move(incoming_));
  }
  void refuse(Error const& error, Done done) override {
    incoming_.reset();
    exchange_->done = std::move(done);
    service_.finish(exchange_, error);
  }

 private:
  Service::Impl& service_;
  Shared exchange_;
  std::unique_ptr<ImageStore::Incoming> incoming_;
};

Upload Service::Impl::begin_upload(RequestView const& head) {
  if (match(head.method, head.path).route == nullptr ||
      match(head.method, head.path).route->work != Work::import_image) {
    return std::monostate();
  }
  auto exchange = std::make_shared<Exchange>();
  std::optional<Answer> refused = open(head, *exchange);
  if (refused) return std::move(*refused);
  if (uploads_.fetch_add(1) >= kUploadsMax) {
    upload_ended();
    return refusal(
        head, *exchange, 429,
        {Code::throttled, "image",
         std::to_string(kUploadsMax) + " imports run already: try again when one is done"});
  }
  Result<std::unique_ptr<ImageStore::Incoming>> incoming = images_.begin();
  if (!incoming) {
    upload_ended();
    return refusal(head, *exchange, http_status(incoming.error()), incoming.error());
  }
  return std::make_unique<ImportSink>(*this, std::move(exchange), std::move(*incoming));
}

void Service::Impl::settle_import(Shared const& exchange,
                                  std::unique_ptr<ImageStore::Incoming> incoming) {
  Fields const& f = exchange->fields;
  ImageFormat const format = format_named(f.text("format"));
  std::int64_t const file_bytes = incoming->bytes();
  if (file_bytes == 0) return finish(exchange, Error{Code::invalid, "image", "the file is empty"});
  Result<std::string> digest = incoming->complete();
  if (!digest) return finish(exchange, digest.error());
  // At rest, under a name nobody else knows: what is inspected is what will be used.
  Result<ImageFacts> facts = options_.inspect(incoming->path(), format);
  if (!facts) return finish(exchange, facts.error());
  if (Result<void> installed = images_.install(*incoming, *digest); !installed)
    return finish(exchange, installed.error());

  core::AdminCall input{.actor = exchange->actor,
                        .role = exchange->role,
                        .source = exchange->peer,
                        .request_id = exchange->request_id,
                        .action_name = std::string(exchange->route->name),
                        .action = core::RegisterImage{.name = f.text("name"),
                                                      .description = f.text("description"),
                                                      .owner = f.text("tenant"),
                                                      .is_public = f.flag("public").value_or(false),
                                                      .format = format,
                                                      .digest = *digest,
                                                      .file_size = Bytes(file_bytes),
                                                      .virtual_size = facts->virtual_size}};
  gate_.submit(std::move(input), [this, exchange, digest = *digest](Result<core::Reply> reply) {
    auto shared_reply = std::make_shared<Result<core::Reply>>(std::move(reply));
    options_.run([this, exchange, digest, shared_reply] {
      images_.settle(digest, shared_reply->has_value());
      if (!*shared_reply) return finish(exchange, shared_reply->error());
      succeed(exchange, render({.noun = Noun::image, .form = Form::one}, **shared_reply));
    });
  });
}

// The file outlives its record until it is known that nothing needs it: another image of the same
// bytes, or an instance that may yet be started on a host that does not have them.
void Service::Impl::delete_image(Shared const& exchange) {
  std::string const id = exchange->fields.text("image");
  ask(exchange, core::ListImages{}, [this, exchange, id](core::Reply const& reply) {
    std::string digest;
    if (auto const* images = std::get_if<core::Images>(&reply)) {
      for (Image const& image : images->items) {
        if (image.id.value == id) digest = image.digest;
      }
    }
    ask(exchange, core::DeleteImage{.id = id}, [this, exchange, digest](core::Reply const&) {
      if (digest.empty()) return succeed(exchange, render({}, core::Done{}));
      remove_file(exchange, digest, images_.version());
    });
  });
}

void Service::Impl::remove_file(Shared const& exchange, std::string const& digest,
                                std::uint64_t version) {
  ask(exchange, core::ListImages{}, [this, exchange, digest, version](core::Reply const& images) {
    auto const* left = std::get_if<core::Images>(&images);
    bool is_needed = left == nullptr;
    if (left != nullptr) {
      for (Image const& image : left->items) is_needed = is_needed || image.digest == digest;
    }
    if (is_needed) return succeed(exchange, render({}, core::Done{}));
    ask(exchange, core::ListInstances{},
        [this, exchange, digest, version](core::Reply const& instances) {
          auto const* list = std::get_if<core::InstanceList>(&instances);
          bool is_used = list == nullptr;
          if (list != nullptr) {
            for (core::InstanceView const& view : list->items) {
              is_used = is_used || (view.instance.image_digest == digest &&
                                    view.instance.wanted != Wanted::terminated);
            }
          }
          if (!is_used) images_.remove(digest, version);
          succeed(exchange, render({}, core::Done{}));
        });
  });
}

}  // namespace berth::admin
