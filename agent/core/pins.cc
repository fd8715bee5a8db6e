#include "agent/core/pins.h"

#include <algorithm>
#include <set>

namespace berth::agent {

namespace {

using Numbers = std::vector<std::int32_t>;
using Set = std::set<std::int32_t>;

Numbers list(Set const& set) {
  return {set.begin(), set.end()};
}

Set cpus_of(HostInventory const& here) {
  Set all;
  for (HostCell const& cell : here.cells) {
    for (HostCpu const& cpu : cell.cpus) all.insert(cpu.id);
  }
  return all;
}

class Seats {
 public:
  Seats(HostSpec const& spec, InstanceSpec const& instance, HostInventory const& here)
      : spec_(spec), instance_(instance), here_(here), present_(cpus_of(here)) {}

  WantedPins make() {
    if (spec_.shared_cpus.empty()) return {};
    seat_memory();
    bool const has_own = !instance_.cpus.empty() &&
                         static_cast<std::int64_t>(instance_.cpus.size()) == instance_.vcpus;
    has_own ? seat_own() : seat_shared();
    return std::move(out_);
  }

 private:
  [[nodiscard]] bool is_here(std::int32_t cpu) const {
    return present_.empty() || present_.contains(cpu);
  }

  void seat_memory() {
    for (std::int32_t const id : instance_.cells) {
      bool const is_cell_here =
          here_.cells.empty() || std::ranges::count(here_.cells, id, &HostCell::id) > 0;
      if (is_cell_here) {
        out_.pins.cells.push_back(id);
      } else {
        add_sentence(out_.lacking, "this host has no NUMA cell " + std::to_string(id));
      }
    }
  }

  // Shared CPUs of the cells that are here; of every cell when none are named.
  [[nodiscard]] Set shared(Numbers const& cells) const {
    Set all;
    for (SharedCpus const& one : spec_.shared_cpus) {
      if (!cells.empty() && std::ranges::count(cells, one.cell) == 0) continue;
      for (std::int32_t const cpu : one.cpus) {
        if (is_here(cpu)) all.insert(cpu);
      }
    }
    return all;
  }

  // Of its cell, else its cells, else of any.
  [[nodiscard]] Set floating(Numbers const& cell) const {
    for (Numbers const& cells : {cell, instance_.cells, Numbers()}) {
      if (Set found = shared(cells); !found.empty()) return found;
    }
    return {};
  }

  void seat_own() {
    Set own;
    for (std::int32_t const cpu : instance_.cpus) {
      if (is_here(cpu)) own.insert(cpu);
    }
    for (std::int32_t const cpu : instance_.cpus) {
      if (is_here(cpu)) {
        out_.pins.vcpus.push_back({cpu});
        continue;
      }
      add_sentence(out_.lacking, "this host has no CPU " + std::to_string(cpu));
      Set const instead = floating(instance_.cells);
      out_.pins.vcpus.push_back(list(instead.empty() ? own : instead));
    }
    Set others = shared(instance_.cells);
    if (others.empty()) others = own.empty() ? shared({}) : own;
    out_.pins.emulator = list(others);
  }

  void seat_shared() {
    std::size_t const cells = is_shown_cells(instance_, out_.pins) ? out_.pins.cells.size() : 1;
    std::vector<std::int64_t> const shares = even_shares(instance_.vcpus, cells);
    for (std::size_t k = 0; k < cells; ++k) {
      Numbers const cell = cells > 1 ? Numbers{out_.pins.cells[k]} : instance_.cells;
      Numbers const cpus = list(floating(cell));
      for (std::int64_t n = 0; n < shares[k]; ++n) out_.pins.vcpus.push_back(cpus);
    }
    Set const everyone = floating(instance_.cells);
    out_.pins.emulator = list(everyone);
    if (everyone.empty()) {
      out_.pins.vcpus.clear();
      add_sentence(out_.lacking, "no CPU of this host is shared, and it has none of its own");
    } else if (shared(instance_.cells).empty()) {
      add_sentence(out_.lacking, "its NUMA cells share no CPU; it runs on those of others");
    }
  }

  HostSpec const& spec_;
  InstanceSpec const& instance_;
  HostInventory const& here_;
  Set const present_;
  WantedPins out_;
};

bool is_met(Numbers const& wanted, Numbers const& live, Numbers const& all) {
  if (wanted.empty()) return true;
  return wanted == (live.empty() ? all : live);
}

std::string cells_text(Numbers const& cells) {
  return (cells.size() == 1 ? "NUMA cell " : "NUMA cells ") + cpu_list(cells);
}

}  // namespace

std::string cpu_list(std::vector<std::int32_t> const& numbers) {
  std::string text;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    std::size_t last = i;
    while (last + 1 < numbers.size() && numbers[last + 1] == numbers[last] + 1) ++last;
    if (!text.empty()) text += ',';
    text += std::to_string(numbers[i]);
    if (last > i) text += (last == i + 1 ? "," : "-") + std::to_string(numbers[last]);
    i = last;
  }
  return text;
}

std::vector<std::int64_t> even_shares(std::int64_t total, std::size_t parts) {
  auto const count = static_cast<std::int64_t>(parts);
  std::vector<std::int64_t> shares;
  for (std::int64_t i = 0; i < count; ++i) {
    shares.push_back(total / count + (i < total % count ? 1 : 0));
  }
  return shares;
}

bool is_shown_cells(InstanceSpec const& spec, Pins const& pins) {
  auto const cells = static_cast<std::int64_t>(pins.cells.size());
  return cells > 1 && spec.vcpus >= cells && spec.memory.value >= cells;
}

WantedPins pins_of(HostSpec const& spec, InstanceSpec const& instance, HostInventory const& here) {
  return Seats(spec, instance, here).make();
}

bool is_in_place(Pins const& wanted, Pins const& live, HostInventory const& here) {
  Numbers const all = list(cpus_of(here));
  if (!is_met(wanted.emulator, live.emulator, all)) return false;
  for (std::size_t i = 0; i < wanted.vcpus.size(); ++i) {
    Numbers const now = i < live.vcpus.size() ? live.vcpus[i] : Numbers();
    if (!is_met(wanted.vcpus[i], now, all)) return false;
  }
  return true;
}

std::string memory_elsewhere(Pins const& wanted, Pins const& live) {
  if (wanted.cells.empty() || wanted.cells == live.cells) return "";
  return "its memory is to come from " + cells_text(wanted.cells) + " and " +
         (live.cells.empty() ? std::string("is bound to none")
                             : "comes from " + cells_text(live.cells)) +
         "; that changes only when it starts";
}

std::vector<std::int32_t> one_cpu_each(Pins const& pins) {
  Numbers cpus;
  for (Numbers const& some : pins.vcpus) {
    if (some.size() != 1) return {};
    cpus.push_back(some.front());
  }
  return cpus;
}

void add_sentence(std::string& text, std::string const& more) {
  if (!text.empty() && !more.empty()) text += "; ";
  text += more;
}

}  // namespace berth::agent
