#include "agent/hypervisor/domain_seen.h"

#include "berth/base/log.h"

namespace berth::agent {

std::optional<OwnDomain> own_domain(LibvirtDomain const& domain) {
  if (!domain.metadata) return std::nullopt;
  Result<DomainMetadata> metadata = parse_metadata(*domain.metadata);
  if (!metadata) {
    log_warning("a domain carries metadata we cannot read and is left alone",
                {{"domain", domain.name}, {"reason", metadata.error().message}});
    return std::nullopt;
  }
  if (metadata->id.value != domain.name) return std::nullopt;
  return OwnDomain{domain, *std::move(metadata)};
}

DomainSeen domain_seen(OwnDomain const& own, std::string const& boot_id) {
  using State = LibvirtDomain::State;
  DomainMetadata const& m = own.metadata;
  DomainSeen out{.id = m.id,
                 .generation = m.generation,
                 .uuid = own.domain.uuid,
                 .reboots = m.reboots,
                 .starts = m.starts,
                 .stopped_by_us = m.stopped_by_us};
  switch (own.domain.state) {
    case State::running:
      out.state = own.is_ending() ? DomainState::shutting_down : DomainState::running;
      break;
    case State::paused: out.state = m.is_starting ? DomainState::off : DomainState::paused; break;
    case State::shutting_down: out.state = DomainState::shutting_down; break;
    case State::off: out.state = DomainState::off; break;
    case State::crashed: out.state = DomainState::crashed; break;
  }
  // Without a process, and not by its guest's will: never let run, or gone with its host.
  bool const has_not_ended_by_itself = m.is_starting || m.boot_id != boot_id;
  bool const is_down = out.state == DomainState::off || out.state == DomainState::crashed;
  if (is_down && has_not_ended_by_itself) out.stopped_by_us = true;
  if (!own.domain.live_xml.empty()) {
    Result<Pins> pins = parse_pins(own.domain.live_xml);
    if (pins) {
      out.pins = *std::move(pins);
    } else {
      log_warning("where a guest runs cannot be read",
                  {{"instance", m.id.value}, {"reason", pins.error().message}});
    }
  }
  // A process that died while it was being stopped did what was wanted.
  if (out.state == DomainState::crashed && out.stopped_by_us) out.state = DomainState::off;
  return out;
}

}  // namespace berth::agent
