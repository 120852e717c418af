// Random regions in memory, and the plain enumeration of their elements that the core's walk is compared
// with. It must not know how the core collapses or walks a region.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "check.hpp"
#include "fanfill/fanfill.hpp"

namespace fanfill_test {

struct Element {
  std::uint64_t index;  // global, flat
  std::int64_t byte_offset;
};

struct RandomRegion {
  std::vector<std::vector<fanfill::Run>> runs;
  std::vector<fanfill::Axis> axes;  // their runs point into `runs`

  RandomRegion() = default;
  RandomRegion(RandomRegion&&) = default;  // moving a vector leaves its elements where they are
  RandomRegion& operator=(RandomRegion&&) = default;
};

inline std::uint64_t held(const fanfill::Axis& axis) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < axis.run_count; ++i) sum += axis.runs[i].count;
  return sum;
}

inline std::vector<fanfill::Run> random_runs(std::uint64_t extent, Choices& choose) {
  if (choose.below(3) == 0) return {{0, extent}};
  std::vector<fanfill::Run> runs;
  std::uint64_t at = 0;
  while (at < extent && choose.below(5) != 0) {
    const std::uint64_t start = at + (choose.coin() ? 0 : choose.below(extent - at + 1));
    const std::uint64_t count = choose.below(extent - start + 1);
    runs.push_back({start, count});
    at = start + count;
  }
  return runs;
}

// Axes in a random order of memory, each next one past what the others span, now and then with a gap, and
// half of them backwards: no two elements share a byte.
inline void set_strides(RandomRegion& region, std::size_t element_size, Choices& choose) {
  const std::size_t rank = region.axes.size();
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < rank; ++i) order.push_back(rank - 1 - i);
  if (choose.coin()) {
    for (std::size_t i = rank; i > 1; --i) std::swap(order[i - 1], order[choose.below(i)]);
  }
  const bool backwards = choose.below(3) == 0;
  const bool gaps = choose.below(3) == 0;
  std::uint64_t span = 1;
  for (const std::size_t i : order) {
    span += gaps ? choose.below(3) : 0;
    const auto stride = static_cast<std::int64_t>(span * element_size);
    region.axes[i].byte_stride = backwards && choose.coin() ? -stride : stride;
    const std::uint64_t count = held(region.axes[i]);
    if (count > 0) span *= count;
  }
}

inline RandomRegion random_region(std::size_t element_size, std::uint64_t max_extent, Choices& choose) {
  RandomRegion region;
  const std::size_t rank = choose.below(6);
  for (std::size_t i = 0; i < rank; ++i) {
    const std::uint64_t extent =
        choose.below(4) == 0 ? choose.below(2) + (choose.below(8) != 0) : 1 + choose.below(max_extent);
    region.runs.push_back(random_runs(extent, choose));
    region.axes.push_back({extent, 0, nullptr, region.runs.back().size()});
  }
  for (std::size_t i = 0; i < rank; ++i) region.axes[i].runs = region.runs[i].data();
  set_strides(region, element_size, choose);
  return region;
}

inline void enumerate(const std::vector<fanfill::Axis>& axes, std::size_t depth, Element so_far,
                      std::vector<Element>& elements) {
  if (depth == axes.size()) {
    elements.push_back(so_far);
    return;
  }
  const fanfill::Axis& axis = axes[depth];
  std::int64_t at = 0;
  for (std::size_t r = 0; r < axis.run_count; ++r) {
    for (std::uint64_t i = 0; i < axis.runs[r].count; ++i, ++at) {
      const Element next{so_far.index * axis.extent + axis.runs[r].start + i,
                         so_far.byte_offset + at * axis.byte_stride};
      enumerate(axes, depth + 1, next, elements);
    }
  }
}

inline std::vector<Element> elements_of(const RandomRegion& region) {
  std::vector<Element> elements;
  enumerate(region.axes, 0, Element{0, 0}, elements);
  return elements;
}

}  // namespace fanfill_test
