// The forms that stored values have: what `well_formed` knows. No protobuf
// here.

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

#include "berth/base/overloaded.h"
#include "berth/model/limits.h"
#include "common/wire/record.h"

namespace berth::wire {

namespace {

// Empty: the value has its form. Else "<field>: wanted …, found …".
using Complaint = std::optional<std::string>;

bool is_decimal(char c) {
  return c >= '0' && c <= '9';
}
bool is_hex(char c) {
  return is_decimal(c) || (c >= 'a' && c <= 'f');
}
bool is_base32(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= '2' && c <= '7');
}

// What was found, short enough for a log line however long the value is.
std::string shown(std::string_view text) {
  constexpr std::size_t kShownMax = 64;
  if (text.empty()) return "nothing";
  std::string out = "'" + std::string(text.substr(0, kShownMax)) + "'";
  if (text.size() > kShownMax) out += " (" + std::to_string(text.size()) + " bytes)";
  return out;
}

Complaint complaint(std::string_view field, std::string_view wanted, std::string_view found) {
  return std::string(field) + ": wanted " + std::string(wanted) + ", found " + shown(found);
}

Complaint hex_id(std::string_view field, std::string_view prefix, std::string_view text) {
  constexpr std::size_t kDigits = 17;
  if (text.size() == prefix.size() + kDigits && text.starts_with(prefix) &&
      std::ranges::all_of(text.substr(prefix.size()), is_hex)) {
    return std::nullopt;
  }
  return complaint(field, "'" + std::string(prefix) + "' and 17 lower-case hex digits", text);
}

Complaint tenant_id(std::string_view field, std::string_view text) {
  if (text.size() == 12 && std::ranges::all_of(text, is_decimal)) return std::nullopt;
  return complaint(field, "12 decimal digits", text);
}

Complaint access_key_id(std::string_view field, std::string_view text) {
  if (text.size() == 20 && text.starts_with("AKIA") && std::ranges::all_of(text, is_base32)) {
    return std::nullopt;
  }
  return complaint(field, "'AKIA' and 16 characters of A-Z2-7", text);
}

Complaint digest(std::string_view field, std::string_view text) {
  if (text.size() == 64 && std::ranges::all_of(text, is_hex)) return std::nullopt;
  return complaint(field, "64 lower-case hex digits", text);
}

Complaint digest_or_none(std::string_view field, std::string_view text) {
  return text.empty() ? std::nullopt : digest(field, text);
}

Complaint present(std::string_view field, std::string_view text) {
  return text.empty() ? complaint(field, "at least one character", text) : std::nullopt;
}

Complaint not_negative(std::string_view field, std::int64_t value) {
  if (value >= 0) return std::nullopt;
  return complaint(field, "zero or more", std::to_string(value));
}

Complaint first_of(std::initializer_list<Complaint> complaints) {
  for (Complaint const& c : complaints) {
    if (c) return c;
  }
  return std::nullopt;
}

// An id that may be absent.
Complaint hex_id_or_none(std::string_view field, std::string_view prefix, std::string_view text) {
  return text.empty() ? std::nullopt : hex_id(field, prefix, text);
}

Complaint spot_request_or_none(std::string_view text) {
  constexpr std::string_view kPrefix = "sir-";
  bool const is_one = text.size() == kPrefix.size() + 8 && text.starts_with(kPrefix) &&
                      std::ranges::all_of(text.substr(kPrefix.size()), [](char c) {
                        return is_decimal(c) || (c >= 'a' && c <= 'z');
                      });
  if (text.empty() || is_one) return std::nullopt;
  return complaint("spot_request", "'sir-' and 8 characters of a-z0-9", text);
}

Complaint placement(Placement const& placement) {
  if (Complaint c = hex_id("placement.host", "host-", placement.host.value)) return c;
  std::int64_t below = -1;
  for (std::int32_t const cell : placement.cells) {
    if (cell <= below)
      return complaint("placement.cells", "ids from 0, ascending", std::to_string(cell));
    below = cell;
  }
  for (std::int32_t const cpu : placement.cpus) {
    if (Complaint c = not_negative("placement.cpus", cpu)) return c;
  }
  return std::nullopt;
}

Complaint inventory(HostInventory const& inventory) {
  if (inventory.cells.empty()) return complaint("inventory.cells", "at least one", "");
  for (HostCell const& cell : inventory.cells) {
    if (Complaint c = not_negative("inventory.cell.memory_mib", cell.memory.value)) return c;
    for (HostCpu const& cpu : cell.cpus) {
      if (Complaint c = not_negative("inventory.cpu.id", cpu.id)) return c;
    }
    for (HugePages const& pages : cell.huge_pages) {
      if (Complaint c = first_of({not_negative("inventory.huge_pages.size_kib", pages.size_kib),
                                  not_negative("inventory.huge_pages.count", pages.count)})) {
        return c;
      }
    }
  }
  return first_of({not_negative("inventory.disk_total_bytes", inventory.disk_total.value),
                   not_negative("inventory.disk_free_bytes", inventory.disk_free.value)});
}

Complaint check(Instance const& i) {
  return first_of({hex_id("id", "i-", i.id.value), tenant_id("tenant", i.tenant.value),
                   hex_id("reservation", "r-", i.reservation.value), present("type", i.type.value),
                   hex_id("image", "ami-", i.image.value), digest("image_digest", i.image_digest),
                   present("zone", i.zone.value), not_negative("launch_index", i.launch_index),
                   not_negative("vcpus", i.vcpus), not_negative("memory_mib", i.memory.value),
                   not_negative("disk_gib", i.disk_gib),
                   hex_id_or_none("placement_group", "pg-", i.placement_group.value),
                   not_negative("partition", i.partition),
                   hex_id_or_none("dedicated_host", "h-", i.dedicated_host.value),
                   hex_id_or_none("capacity_reservation", "cr-", i.capacity_reservation.value),
                   spot_request_or_none(i.spot_request.value),
                   i.placement ? placement(*i.placement) : std::nullopt});
}

Complaint check(Host const& host) {
  return first_of({hex_id("id", "host-", host.id.value), present("name", host.name),
                   present("zone", host.zone.value),
                   digest_or_none("join_token_digest", host.join_token_digest),
                   host.inventory ? inventory(*host.inventory) : std::nullopt});
}

Complaint check(core::TokenRow const& row) {
  Complaint c = first_of({tenant_id("tenant", row.tenant.value), present("token", row.token),
                          hex_id("reservation", "r-", row.reservation.value)});
  for (InstanceId const& id : row.instances) {
    if (!c) c = hex_id("instances", "i-", id.value);
  }
  return c;
}

Complaint check(core::AuditRecord const& record) {
  if (record.number == 0) return complaint("number", "1 or more", "0");
  return digest("digest", record.digest);
}

Complaint positive(std::string_view field, std::uint64_t value) {
  if (value > 0) return std::nullopt;
  return complaint(field, "1 or more", "0");
}

Complaint check(LaunchTemplate const& t) {
  return first_of({hex_id("id", "lt-", t.id.value), tenant_id("tenant", t.tenant.value),
                   present("name", t.name), positive("default_version", t.default_version),
                   positive("last_version", t.last_version)});
}

Complaint check(LaunchTemplateVersion const& v) {
  return first_of({hex_id("launch_template", "lt-", v.launch_template.value),
                   tenant_id("tenant", v.tenant.value), positive("number", v.number)});
}

// A record of another strategy than partition has no partitions, one of it 1 to 7.
Complaint check(PlacementGroup const& g) {
  bool const is_partition = g.strategy == PlacementStrategy::partition;
  bool const is_count_good =
      is_partition ? g.partition_count >= 1 && g.partition_count <= limits::kPartitionsPerGroupMax
                   : g.partition_count == 0;
  return first_of({hex_id("id", "pg-", g.id.value), tenant_id("tenant", g.tenant.value),
                   present("name", g.name),
                   is_count_good ? std::nullopt
                                 : complaint("partition_count", is_partition ? "1 to 7" : "0",
                                             std::to_string(g.partition_count))});
}

Complaint check(core::Change const& change) {
  return std::visit(
      overloaded{
          [](core::PutRegion const& c) {
            return first_of({present("name", c.region.name),
                             digest_or_none("audit_digest", c.region.audit_digest)});
          },
          [](core::PutZone const& c) { return present("name", c.zone.name.value); },
          [](core::PutTenant const& c) { return tenant_id("id", c.tenant.id.value); },
          [](core::PutAccessKey const& c) {
            Complaint bad = first_of(
                {access_key_id("id", c.key.id.value), tenant_id("tenant", c.key.tenant.value)});
            if (!bad && c.key.secret_sealed.empty()) {
              bad = "secret_sealed: wanted a sealed secret, found nothing";
            }
            return bad;
          },
          [](core::EraseAccessKey const& c) { return present("id", c.id.value); },
          [](core::PutInstanceType const& c) {
            return first_of({present("name", c.type.name.value),
                             not_negative("vcpus", c.type.vcpus),
                             not_negative("memory_mib", c.type.memory.value)});
          },
          [](core::EraseInstanceType const& c) { return present("name", c.name.value); },
          [](core::PutImage const& c) {
            return first_of({hex_id("id", "ami-", c.image.id.value),
                             c.image.owner.value.empty() ? std::nullopt
                                                         : tenant_id("owner", c.image.owner.value),
                             digest("digest", c.image.digest),
                             not_negative("file_size_bytes", c.image.file_size.value),
                             not_negative("virtual_size_bytes", c.image.virtual_size.value)});
          },
          [](core::EraseImage const& c) { return present("id", c.id.value); },
          [](core::PutKeyPair const& c) {
            return first_of({hex_id("id", "key-", c.key.id.value),
                             tenant_id("tenant", c.key.tenant.value), present("name", c.key.name)});
          },
          [](core::EraseKeyPair const& c) { return present("id", c.id.value); },
          [](core::PutHost const& c) { return check(c.host); },
          [](core::EraseHost const& c) { return present("id", c.id.value); },
          [](core::PutInstance const& c) { return check(c.instance); },
          [](core::EraseInstance const& c) { return present("id", c.id.value); },
          [](core::PutToken const& c) { return check(c.row); },
          [](core::EraseToken const& c) {
            return first_of({present("tenant", c.tenant.value), present("token", c.token)});
          },
          [](core::AppendAudit const& c) { return check(c.record); },
          [](core::PutLaunchTemplate const& c) { return check(c.launch_template); },
          [](core::EraseLaunchTemplate const& c) { return present("id", c.id.value); },
          [](core::PutLaunchTemplateVersion const& c) { return check(c.version); },
          [](core::EraseLaunchTemplateVersion const& c) {
            return first_of({present("id", c.id.value), positive("number", c.number)});
          },
          [](core::PutPlacementGroup const& c) { return check(c.group); },
          [](core::ErasePlacementGroup const& c) { return present("id", c.id.value); },
          [](core::SeeHost const&) -> Complaint { return "change: wanted a durable one"; },
      },
      change);
}

}  // namespace

Result<void> well_formed(core::Change const& change) {
  Complaint const bad = check(change);
  if (!bad) return {};
  if (!core::is_durable(change)) return Error{Code::invalid, "record", *bad};
  RecordKey const place = key(change);
  return Error{Code::invalid, "record",
               std::string(name(place.kind)) + " " + place.id + ": " + *bad};
}

}  // namespace berth::wire
