#pragma once
// Between parameters and the generated structs of wire_types.h, and from those to XML. One generic
// reader and one generic writer walk the generated tables (descriptor.h); nothing here knows an
// action by name.
//
//   auto parameters = TRY(wire::parse_query(text));
//   wire::Action const action = TRY(wire::identify(parameters, wire::Service::ec2));
//   auto request = TRY(wire::read<wire::RunInstancesRequest>(parameters));
//   wire::RunInstancesResult result = ...;                     // plain struct, fill what is known
//   std::string body = wire::render(wire::Action::run_instances, result, request_id);

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/ec2/ec2_error.h"
#include "daemon/ec2/wire/descriptor.h"
#include "daemon/ec2/wire/query.h"
#include "daemon/ec2/wire/wire_types.h"

namespace berth::ec2::wire {

inline constexpr std::string_view kContentType = "text/xml;charset=UTF-8";
inline constexpr std::uint32_t kListIndexMax = 100'000;  // of "InstanceId.N"; gaps are allowed

// Which action is asked for, by Action and Version. `service` is the one the signature was made for
// (Verified::service), so that a signature for one service never opens another.
// Errors: MissingAction, InvalidAction, NoSuchVersion, MissingParameter (Version); all 400.
[[nodiscard]] Ec2Result<Action> identify(std::span<Parameter const> parameters, Service service);

// The service whose version or action name this request bears, for choosing the envelope of an
// error that comes before identify(): sts when Version is that of STS, else ec2.
[[nodiscard]] Service service_of(std::span<Parameter const> parameters);

// The typed request. What is checked here is form only: every parameter is one the model knows
// (UnknownParameter), every value has its type, range and enumeration (InvalidParameterValue),
// every required scalar is there (MissingParameter). An empty value is an absent one, except where
// quirks.txt says keep_empty. A required *list* may come out empty, because SDKs do not send empty
// lists and EC2 answers with a message of the call's own: see ActionInfo::required_lists.
template <class Request>
[[nodiscard]] Ec2Result<Request> read(std::span<Parameter const> parameters);

// Items that are written already: every list of structures of this shape, in the order in which the
// lists come in the document, takes the next of `lists` and not what its struct holds.
struct Ready {
  ShapeId shape = 0;
  std::vector<std::vector<std::string_view>> lists;
};

// What stands inside the element of such a structure.
template <class Struct>
[[nodiscard]] std::string render_inside(Struct const& value);

// The success document of an action. Absent optionals and empty nested lists are left out; lists
// directly in the result are always there, empty or not (quirks.txt has the exceptions).
template <class Output>
[[nodiscard]] std::string render(Action action, Output const& result, std::string_view request_id,
                                 Ready const& ready = {});

// Every member that both structs have by one name of the service model and that `from` has a value
// for, in depth: for what is answered as it was asked, in the other of two shapes.
template <class To, class From>
[[nodiscard]] To copied(From const& from);

// The error document: EC2's bare <Response> or STS's <ErrorResponse>.
[[nodiscard]] std::string render_error(Ec2Error const& error, std::string_view request_id,
                                       Service service = Service::ec2);

// Appends text as XML character data: markup is escaped, what XML 1.0 cannot hold (control
// characters, broken UTF-8) becomes U+FFFD.
void append_escaped(std::string& out, std::string_view text);

// The untyped halves, for generic callers (tests, fuzzing). `object` is of the shape's struct.
[[nodiscard]] std::optional<Ec2Error> read_shape(Action action,
                                                 std::span<Parameter const> parameters,
                                                 void* object);
[[nodiscard]] std::string render_shape(Action action, void const* object,
                                       std::string_view request_id, Ready const& ready = {});
[[nodiscard]] std::string render_members(ShapeId shape, void const* object);

void copy_shape(ShapeId from, void const* source, ShapeId to, void* target);

template <class To, class From>
To copied(From const& from) {
  To to;
  copy_shape(From::kShape, &from, To::kShape, &to);
  return to;
}

template <class Request>
Ec2Result<Request> read(std::span<Parameter const> parameters) {
  Request request;
  if (auto error = read_shape(Request::kAction, parameters, &request)) return *std::move(error);
  return request;
}

template <class Output>
std::string render(Action action, Output const& result, std::string_view request_id,
                   Ready const& ready) {
  ENSURE(info(action).output_shape == Output::kShape);
  return render_shape(action, &result, request_id, ready);
}

template <class Struct>
std::string render_inside(Struct const& value) {
  return render_members(Struct::kShape, &value);
}

}  // namespace berth::ec2::wire
