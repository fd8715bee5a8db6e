#include "daemon/placement/survey.h"

#include <algorithm>

namespace berth::placement {
namespace {

class Surveyor {
 public:
  Surveyor(CellFleet const& fleet, Request const& request, Policy const& policy,
           FleetTables const& tables)
      : fleet_(fleet), request_(request), policy_(policy), tables_(tables) {
    parts_.reserve(fleet.kinds().size());
    for (std::uint32_t k = 0; k < fleet.kinds().size(); ++k)
      parts_.push_back(fleet.parts_of(k, request.need));
    out_.refusal.rule = fleet.rule_of(request.group);
  }

  void look_at(HostIndex host) {
    ++out_.refusal.hosts_considered;
    std::int32_t const parts = parts_[fleet_.host(host).kind];
    std::optional<Obstacle> why = fleet_.obstacle(host, request_);
    std::optional<Candidate> candidate;
    if (!why) {
      candidate = fleet_.best_cells(host, request_.need, parts, policy_, tables_);
      if (!candidate) why = fleet_.missing_room(host, request_.need, parts);
    }
    if (why) {
      ++out_.refusal.hosts_removed[static_cast<std::size_t>(*why)];
      return;
    }
    ++out_.fitting;
    bool const is_last_resort =
        policy_.empty_hosts == EmptyHosts::last && fleet_.host(host).instances == 0;
    if (!is_last_resort)
      out_.table.add(*candidate);
    else if (!lowest_empty_ || host < lowest_empty_->host)
      lowest_empty_ = candidate;
  }

  Survey finish() {
    if (out_.table.size == 0 && lowest_empty_) out_.table.add(*lowest_empty_);
    return out_;
  }

 private:
  CellFleet const& fleet_;
  Request const& request_;
  Policy const& policy_;
  FleetTables const& tables_;
  std::vector<std::int32_t> parts_;  // by kind of host
  Survey out_;
  std::optional<Candidate> lowest_empty_;
};

}  // namespace

void ScoreTable::add(Candidate const& candidate) {
  std::size_t at = size;
  while (at > 0 && candidate.is_before(rows[at - 1])) --at;
  if (at == kRowsMax) return;
  size = std::min(size + 1, kRowsMax);
  for (std::size_t i = size - 1; i > at; --i) rows[i] = rows[i - 1];
  rows[at] = candidate;
}

Survey survey(CellFleet const& fleet, Request const& request, Policy const& policy,
              FleetTables const& tables) {
  Surveyor surveyor(fleet, request, policy, tables);
  for (HostIndex i = 0; i < fleet.size(); ++i)
    if (!fleet.host(i).is_retired) surveyor.look_at(i);
  return surveyor.finish();
}

Survey survey_rack(CellFleet const& fleet, RackIndex rack, Request const& request,
                   Policy const& policy, FleetTables const& tables) {
  Surveyor surveyor(fleet, request, policy, tables);
  for (HostIndex const i : fleet.hosts_in_rack(rack)) surveyor.look_at(i);
  return surveyor.finish();
}

}  // namespace berth::placement
