#pragma once
// From what libvirt shows of a domain to what the agent's core sees of an instance. Pure.

#include <optional>
#include <string>

#include "agent/core/action.h"
#include "agent/hypervisor/domain_xml.h"
#include "agent/hypervisor/libvirt_api.h"

namespace berth::agent {

// A domain with metadata of ours.
struct OwnDomain {
  LibvirtDomain domain;
  DomainMetadata metadata;

  // Running, but asked to end.
  [[nodiscard]] bool is_ending() const {
    return domain.state == LibvirtDomain::State::shutting_down ||
           (domain.state == LibvirtDomain::State::running && metadata.stopped_by_us &&
            !metadata.is_starting);
  }
  [[nodiscard]] bool has_process() const {
    return domain.state != LibvirtDomain::State::off &&
           domain.state != LibvirtDomain::State::crashed;
  }
};

// Absent: the domain is foreign. So is one whose metadata cannot be read (a warning is logged), and
// a copy of one of ours under another name (virt-clone copies metadata too).
[[nodiscard]] std::optional<OwnDomain> own_domain(LibvirtDomain const& domain);

// The table in libvirt.h. `boot_id`: the host's now. The address is not known here.
[[nodiscard]] DomainSeen domain_seen(OwnDomain const& own, std::string const& boot_id);

}  // namespace berth::agent
