#include "ctl/explanation.h"

#include <vector>

#include "ctl/table.h"

namespace berth::ctl {
namespace {

std::string hosts(std::string const& count) {
  return count + (count == "1" ? " host" : " hosts");
}

// "12 hosts: 3 other zone, 8 memory, 1 fitted and scored worse"
std::string counts(Document const& answer) {
  if (answer.number("hosts").value_or(0) == 0) return "hosts were not counted";
  std::string out = hosts(answer.text("hosts"));
  char const* separator = ": ";
  for (Document const& one : answer.items("removed")) {
    out += separator + one.text("hosts") + " " + printable(one.text("reason"));
    separator = ", ";
  }
  if (answer.number("scored_worse").value_or(0) > 0)
    out += separator + answer.text("scored_worse") + " fitted and scored worse";
  if (std::string const tightest = answer.text("tightest"); !tightest.empty())
    out += "; tightest: " + printable(tightest);
  return out;
}

std::string placed(Document const& answer) {
  std::string out = printable(answer.text("id")) + ", " + printable(answer.text("type")) + " in " +
                    printable(answer.text("zone")) + ", placed " + printable(answer.text("at"));
  std::string const policy = answer.text("policy");
  if (policy.empty()) return out + "\nno note was kept of why\n";
  out += " by policy " + printable(policy) + "\n" + counts(answer) + "\n\n";
  std::vector<std::vector<std::string>> rows;
  for (Document const& row : answer.items("scores")) {
    std::string const name = row.text("host_name");
    rows.push_back({printable(name.empty() ? row.text("host") : name), printable(row.text("cells")),
                    row.text("score"), rows.empty() ? "chosen" : ""});
  }
  return out + table({"HOST", "CELLS", "SCORE", ""}, rows) +
         "A smaller score is better; scores of one decision compare, others do not.\n";
}

std::string refused(Document const& answer) {
  std::string const zone = answer.text("zone"), group = answer.text("placement_group");
  std::string out =
      "request " + printable(answer.text("id")) + " of tenant " + printable(answer.text("tenant")) +
      ", refused " + printable(answer.text("at")) + "\nwanted " + answer.text("wanted") + " of " +
      printable(answer.text("type")) + (zone.empty() ? " in any zone" : " in " + printable(zone)) +
      (group.empty() ? "" : ", placement group " + printable(group)) + "; there was room for " +
      answer.text("found") + "\nfor the next: " + counts(answer) + "\n";
  std::vector<Document> const remedies = answer.items("remedies");
  if (remedies.empty()) return out + "\nNo single change would place it now.\n";
  out += "\nIt would be placed now\n";
  for (Document const& one : remedies) out += "  " + printable(one.text("")) + "\n";
  return out;
}

}  // namespace

std::string explanation(Document const& answer) {
  return answer.text("outcome") == "placed" ? placed(answer) : refused(answer);
}

}  // namespace berth::ctl
