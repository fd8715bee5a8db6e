#pragma once
// Model <-> protobuf for the shapes that stored records and the agent's wire
// share. The generated types are only named here, so that protobuf's headers
// stay in the .cc files.
//
//   fill(inventory, *message.mutable_inventory());
//   HostInventory const inventory = TRY(wire::read(message.inventory()));
//
// `read` refuses what no Berth writes (an enumerator we do not know, a negative
// size) with Code::corrupt and the path of the field, "inventory.virt_type";
// put what it was part of in front with Error::within. Fields we do not know
// are let through here: agents and daemons of neighbouring versions talk to
// each other. Stored records are stricter (record.h).

#include "berth/base/result.h"
#include "berth/model/host.h"
#include "berth/model/image.h"
#include "berth/model/instance.h"

namespace berth::proto::model::v1 {
class HostCell;
class HostCpu;
class HostInventory;
class HugePages;
class Placement;
enum ImageFormat : int;
enum Seen : int;
enum VirtType : int;
} // namespace berth::proto::model::v1

namespace berth::wire {

void fill(HostCpu const &cpu, proto::model::v1::HostCpu &out);
void fill(HugePages const &pages, proto::model::v1::HugePages &out);
void fill(HostCell const &cell, proto::model::v1::HostCell &out);
void fill(HostInventory const &inventory, proto::model::v1::HostInventory &out);
void fill(Placement const &placement, proto::model::v1::Placement &out);

[[nodiscard]] Result<HostCpu> read(proto::model::v1::HostCpu const &in);
[[nodiscard]] Result<HugePages> read(proto::model::v1::HugePages const &in);
[[nodiscard]] Result<HostCell> read(proto::model::v1::HostCell const &in);
// No cells is an error: an inventory without a processor is no inventory.
[[nodiscard]] Result<HostInventory>
read(proto::model::v1::HostInventory const &in);
[[nodiscard]] Result<Placement> read(proto::model::v1::Placement const &in);

[[nodiscard]] proto::model::v1::VirtType encoded(VirtType type);
[[nodiscard]] proto::model::v1::ImageFormat encoded(ImageFormat format);
[[nodiscard]] proto::model::v1::Seen encoded(Seen seen);

[[nodiscard]] Result<VirtType> decoded(proto::model::v1::VirtType type);
[[nodiscard]] Result<ImageFormat> decoded(proto::model::v1::ImageFormat format);
[[nodiscard]] Result<Seen> decoded(proto::model::v1::Seen seen);

} // namespace berth::wire
