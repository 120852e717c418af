// Many short rows at once: blocks from all of them make up the groups, so that one element costs no group.
// It must not know threads or regions; a value never depends on the rows beside its own.
#pragma once

#include <cstddef>
#include <cstdint>

#include "held_rows.hpp"
#include "row_lines.hpp"

namespace fanfill {
namespace {

// Elements begin .. begin + count of each row.
FANFILL_INLINE RowPlaces part_of(RowPlaces rows, std::uint64_t begin, std::uint64_t count, std::size_t size) {
  rows.start += begin;
  rows.count = count;
  rows.out = static_cast<char*>(rows.out) + begin * size;
  return rows;
}

template <class Element>
__attribute__((noinline)) void fill_rows_of(const LawPlan& plan, DrawBlocks draw, const RowJob& common,
                                            const RowPlaces* places, std::size_t count) {
  constexpr std::uint64_t kPerBlock = kElementsPerBlock<Element>;
  RowsPlan rows_plan{plan, draw, common.byte_stride, common.store, {}};
  open(rows_plan.source, common.seed, common.stream, places[0].start / kPerBlock);
  const std::uint32_t upper = rows_plan.source.upper;
  RowLines<Element> lines(rows_plan);
  HeldRows<Element> held(rows_plan);
  for (const RowPlaces* rows = places; rows != places + count; ++rows) {
    const std::uint64_t last = rows->start + (rows->rows - 1) * rows->index_step + rows->count - 1;
    const bool is_shared =
        high_half(rows->start / kPerBlock) == upper && high_half(last / kPerBlock) == upper;
    const std::uint64_t inside = RowLines<Element>::elements_in_lines(*rows, rows_plan);
    if (inside > 0) lines.add(part_of(*rows, 0, inside, sizeof(Element)), is_shared);
    if (inside == rows->count) continue;
    held.add(part_of(*rows, inside, rows->count - inside, sizeof(Element)), is_shared);
  }
  lines.flush();
  held.flush();
}

}  // namespace
}  // namespace fanfill
