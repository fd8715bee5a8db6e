#include "ctl/pack_chart.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <string_view>

namespace berth::ctl {
namespace {

// Of the picture, in its own units.
constexpr double kWidth = 960, kLeft = 64, kRight = 24, kTop = 44;
constexpr double kPanel = 150, kGap = 46, kBelow = 40;
constexpr double kPlotWidth = kWidth - kLeft - kRight;
constexpr double kHeight = kTop + 3 * kPanel + 2 * kGap + kBelow;

std::string number(double value) {
  std::array<char, 32> digits{};
  int const size = std::snprintf(digits.data(), digits.size(), "%.6g", value);
  return std::string(digits.data(), static_cast<std::size_t>(std::max(size, 0)));
}

std::string at(double value) {
  std::array<char, 32> digits{};
  int const size = std::snprintf(digits.data(), digits.size(), "%.1f", value);
  return std::string(digits.data(), static_cast<std::size_t>(std::max(size, 0)));
}

std::string escaped(std::string_view text) {
  std::string out;
  for (char const c : text) {
    switch (c) {
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '&': out += "&amp;"; break;
      case '"': out += "&quot;"; break;
      default: out += c;
    }
  }
  return out;
}

// 1, 2 or 5 times a power of ten: at most `count` of them reach `most`.
double round_step(double most, int count) {
  double step = std::pow(10.0, std::floor(std::log10(std::max(most, 1e-9) / count)));
  for (double const factor : {1.0, 2.0, 5.0, 10.0}) {
    if (step * factor * count >= most) return step * factor;
  }
  return step * 10;
}

// Hours, or days where there are many: what a step along the axis is, in seconds.
struct TimeScale {
  double step_s = 3'600;
  double unit_s = 3'600;
  std::string_view unit = "h";
};
TimeScale time_scale(double end_s) {
  constexpr double kHour = 3'600, kDay = 86'400;
  if (end_s > 3 * kDay) {
    double const step = std::max(1.0, round_step(end_s / kDay, 12));
    return {.step_s = step * kDay, .unit_s = kDay, .unit = "d"};
  }
  if (end_s > 2 * kHour) return {.step_s = std::max(1.0, round_step(end_s / kHour, 12)) * kHour};
  return {.step_s = round_step(end_s, 12), .unit_s = 1, .unit = "s"};
}

struct Line {
  std::string_view label;
  std::string_view colour;
  std::vector<double> values;
  bool is_bars = false;
};

void draw_text(std::string& out, double x, double y, std::string_view anchor, std::string_view text,
               std::string_view extra = "") {
  out += "<text x=\"" + at(x) + "\" y=\"" + at(y) + "\" text-anchor=\"" + std::string(anchor) +
         "\"" + std::string(extra) + ">" + escaped(text) + "</text>\n";
}

void draw_grid(std::string& out, double top, double most, TimeScale const& time, double end_s,
               bool is_last) {
  double const bottom = top + kPanel;
  double const step = round_step(most, 4);
  for (double value = 0; value <= most * 1.0001; value += step) {
    double const y = bottom - value / most * kPanel;
    out += "<line class=\"grid\" x1=\"" + at(kLeft) + "\" x2=\"" + at(kLeft + kPlotWidth) +
           "\" y1=\"" + at(y) + "\" y2=\"" + at(y) + "\"/>\n";
    draw_text(out, kLeft - 8, y + 4, "end", number(value));
  }
  for (double second = 0; second <= end_s; second += time.step_s) {
    double const x = kLeft + second / end_s * kPlotWidth;
    out += "<line class=\"grid\" x1=\"" + at(x) + "\" x2=\"" + at(x) + "\" y1=\"" + at(top) +
           "\" y2=\"" + at(bottom) + "\"/>\n";
    if (is_last)
      draw_text(out, x, bottom + 18, "middle",
                number(second / time.unit_s) + " " + std::string(time.unit));
  }
}

void draw_line(std::string& out, double top, double most, Line const& line) {
  double const width = kPlotWidth / static_cast<double>(line.values.size());
  double const bottom = top + kPanel;
  if (!line.is_bars) out += "<polyline stroke=\"" + std::string(line.colour) + "\" points=\"";
  for (std::size_t i = 0; i < line.values.size(); ++i) {
    double const x = kLeft + static_cast<double>(i) * width;
    double const height = line.values[i] / most * kPanel;
    if (!line.is_bars) {
      out += at(x + width / 2) + "," + at(bottom - height) + " ";
    } else if (line.values[i] > 0) {
      out += "<rect fill=\"" + std::string(line.colour) + "\" x=\"" + at(x) + "\" width=\"" +
             at(std::max(width, 1.0)) + "\" y=\"" + at(bottom - height) + "\" height=\"" +
             at(height) + "\"/>\n";
    }
  }
  if (!line.is_bars) out += "\"/>\n";
}

// `most`: of the axis; 0: the largest value.
void draw_panel(std::string& out, int place, std::string_view heading, double most,
                std::vector<Line> const& lines, TimeScale const& time, double end_s) {
  double const top = kTop + place * (kPanel + kGap);
  for (Line const& line : lines) {
    if (most > 0) break;
    most = std::max(1.0, *std::ranges::max_element(line.values));
  }
  draw_grid(out, top, most, time, end_s, place == 2);
  draw_text(out, kLeft, top - 10, "start", heading, " class=\"heading\"");
  double x = kLeft + kPlotWidth;
  for (auto line = lines.rbegin(); line != lines.rend(); ++line) {
    draw_line(out, top, most, *line);
    if (lines.size() < 2) continue;
    draw_text(out, x, top - 10, "end", line->label, " fill=\"" + std::string(line->colour) + "\"");
    x -= 100;
  }
}

}  // namespace

PackChart::PackChart(std::int64_t end_s, Use capacity)
    : end_s_(std::max<std::int64_t>(end_s, 1)), capacity_(capacity), stretches_(kStretches) {}

std::size_t PackChart::stretch_of(std::int64_t time_s) const {
  double const place = static_cast<double>(time_s) / static_cast<double>(end_s_) * kStretches;
  return std::min(static_cast<std::size_t>(std::max(place, 0.0)), kStretches - 1);
}

double PackChart::begin_of(std::size_t stretch) const {
  return static_cast<double>(end_s_) * static_cast<double>(stretch) / kStretches;
}

void PackChart::used(std::int64_t from_s, std::int64_t to_s, Use const& use) {
  from_s = std::max<std::int64_t>(from_s, 0);
  to_s = std::min(to_s, end_s_);
  if (to_s <= from_s) return;
  for (std::size_t i = stretch_of(from_s); i < kStretches; ++i) {
    double const begin = std::max(begin_of(i), static_cast<double>(from_s));
    double const end = std::min(begin_of(i + 1), static_cast<double>(to_s));
    if (begin >= static_cast<double>(to_s)) break;
    if (end <= begin) continue;
    Stretch& stretch = stretches_[i];
    stretch.seconds += end - begin;
    stretch.hosts += (end - begin) * static_cast<double>(use.hosts);
    stretch.vcpus += (end - begin) * static_cast<double>(use.vcpus);
    stretch.memory_mib += (end - begin) * static_cast<double>(use.memory_mib);
  }
}

void PackChart::rejected(std::int64_t time_s) {
  ++stretches_[stretch_of(time_s)].rejected;
}

std::string PackChart::svg(std::string const& title) const {
  Line hosts{.label = "in use", .colour = "#0072b2", .values = {}};
  Line fleet{.label = "all", .colour = "#999999", .values = {}};
  Line cpu{.label = "CPU", .colour = "#d55e00", .values = {}};
  Line memory{.label = "memory", .colour = "#009e73", .values = {}};
  Line rejected{.label = "", .colour = "#cc0033", .values = {}, .is_bars = true};
  auto const all_hosts = static_cast<double>(std::max<std::int64_t>(capacity_.hosts, 1));
  // Of the hosts that are in use, in percent.
  auto const density = [&](double used, std::int64_t capacity, double hosts_used) {
    double const whole = static_cast<double>(capacity) / all_hosts * hosts_used;
    return whole > 0 ? 100 * used / whole : 0;
  };
  for (Stretch const& s : stretches_) {
    double const seconds = std::max(s.seconds, 1e-9);
    hosts.values.push_back(s.seconds > 0 ? s.hosts / seconds : 0);
    fleet.values.push_back(all_hosts);
    cpu.values.push_back(density(s.vcpus, capacity_.vcpus, s.hosts));
    memory.values.push_back(density(s.memory_mib, capacity_.memory_mib, s.hosts));
    rejected.values.push_back(static_cast<double>(s.rejected));
  }
  auto const end_s = static_cast<double>(end_s_);
  TimeScale const time = time_scale(end_s);
  std::string out = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " + at(kWidth) + " " +
                    at(kHeight) + "\" font-family=\"sans-serif\" font-size=\"12\">\n" +
                    "<style>.grid{stroke:#ddd} polyline{fill:none;stroke-width:1.5} "
                    ".heading{font-weight:bold}</style>\n" +
                    "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n";
  draw_text(out, kWidth / 2, 18, "middle", title, " font-size=\"14\"");
  draw_panel(out, 0, "Hosts", all_hosts, {hosts, fleet}, time, end_s);
  draw_panel(out, 1, "Sold of the hosts in use, %", 100, {cpu, memory}, time, end_s);
  draw_panel(out, 2, "Rejected", 0, {rejected}, time, end_s);
  return out + "</svg>\n";
}

}  // namespace berth::ctl
