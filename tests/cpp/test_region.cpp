// Regions: what is refused, what collapses, and that every walk in any pieces meets each element once, in
// order. It must not know threads or kernels.
#include <vector>

#include "check.hpp"
#include "random_region.hpp"
#include "region.hpp"

namespace {

using fanfill::Axis;
using fanfill::Region;
using fanfill::Run;
using fanfill::Status;
using fanfill_test::Choices;
using fanfill_test::Element;

constexpr std::uint64_t kOne = 1;

Status make(const std::vector<Axis>& axes, Region* region, std::size_t element_size = 4) {
  return fanfill::make_region(axes.data(), axes.size(), element_size, region);
}

Status status_of(std::uint64_t extent, const std::vector<Run>& runs, std::int64_t stride = 4) {
  Region region;
  return make({{extent, stride, runs.data(), runs.size()}}, &region);
}

void walk(fanfill::RowCursor& cursor, std::uint64_t begin, std::uint64_t end, std::vector<Element>* met) {
  cursor.seek(begin, end);
  fanfill::RowTile tile;
  while (cursor.next(&tile)) {
    CHECK(tile.count > 0 && tile.rows > 0);
    for (std::uint64_t r = 0; r < tile.rows; ++r) {
      for (std::uint64_t i = 0; i < tile.count; ++i) {
        met->push_back({tile.start + r * tile.row_index_step + i,
                        tile.byte_offset + static_cast<std::int64_t>(r) * tile.row_byte_step +
                            static_cast<std::int64_t>(i) * tile.byte_stride});
      }
    }
  }
}

bool same(const std::vector<Element>& a, const std::vector<Element>& b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i].index != b[i].index || a[i].byte_offset != b[i].byte_offset) return false;
  }
  return true;
}

void random_regions_are_walked_in_order_in_any_pieces() {
  std::size_t with_elements = 0;
  for (std::uint64_t seed = 0; seed < 4000; ++seed) {
    Choices choose(seed);
    const auto random = fanfill_test::random_region(4, 7, choose);
    const std::vector<Element> expected = fanfill_test::elements_of(random);
    Region region;
    CHECK(make(random.axes, &region) == Status::kOk);
    CHECK(region.elements == expected.size());
    if (expected.empty()) continue;
    ++with_elements;

    std::vector<Element> met;
    fanfill::RowCursor cursor;
    cursor.reset(region);
    walk(cursor, 0, region.elements, &met);
    CHECK(same(met, expected));

    met.clear();
    for (std::uint64_t begin = 0; begin < region.elements;) {
      const std::uint64_t end = begin + 1 + choose.below(region.elements - begin);
      walk(cursor, begin, end, &met);
      begin = end;
    }
    CHECK(same(met, expected));

    for (int i = 0; i < 4; ++i) {  // anywhere, backwards too
      const std::uint64_t begin = choose.below(region.elements);
      const std::uint64_t end = begin + choose.below(region.elements - begin + 1);
      met.clear();
      walk(cursor, begin, end, &met);
      CHECK(same(met, {expected.begin() + static_cast<std::ptrdiff_t>(begin),
                       expected.begin() + static_cast<std::ptrdiff_t>(end)}));
    }
  }
  CHECK(with_elements > 1000);
}

void memory_spanned_is_exact() {
  for (std::uint64_t seed = 0; seed < 1000; ++seed) {
    Choices choose(seed);
    const auto random = fanfill_test::random_region(2, 5, choose);
    Region region;
    CHECK(make(random.axes, &region, 2) == Status::kOk);
    std::int64_t lowest = 0;
    std::int64_t highest = 0;
    for (const Element& element : fanfill_test::elements_of(random)) {
      lowest = element.byte_offset < lowest ? element.byte_offset : lowest;
      highest = element.byte_offset > highest ? element.byte_offset : highest;
    }
    CHECK(static_cast<std::int64_t>(region.bytes_below) == -lowest);
    CHECK(static_cast<std::int64_t>(region.bytes_above) == highest + 2);
  }
}

void contiguous_regions_collapse() {
  const Run all[] = {{0, 3}, {0, 5}, {0, 1}, {0, 7}, {0, 2}};
  Region region;
  // Whole, with an axis of one index whose stride means nothing.
  CHECK(make({{3, 140, &all[0], 1}, {1, -999, &all[2], 1}, {5, 28, &all[1], 1}, {7, 4, &all[3], 1}},
             &region) == Status::kOk);
  CHECK(region.rank == 1 && region.elements == 105 && region.axes[0].held == 105 && region.first_index == 0);
  // A slab of rows.
  const Run rows{4, 2};
  CHECK(make({{9, 140, &rows, 1}, {5, 28, &all[1], 1}, {7, 4, &all[3], 1}}, &region) == Status::kOk);
  CHECK(region.rank == 1 && region.axes[0].held == 70 && region.first_index == 140);
  // Slabs of rows at several places: rows of rows.
  const Run slabs[] = {{0, 1}, {4, 2}, {8, 1}};
  CHECK(make({{9, 140, slabs, 3}, {5, 28, &all[1], 1}, {7, 4, &all[3], 1}}, &region) == Status::kOk);
  CHECK(region.rank == 1 && region.axes[0].held == 140);
  // Runs that touch are one.
  const Run touching[] = {{1, 1}, {2, 0}, {2, 3}};
  CHECK(make({{9, 28, touching, 3}, {7, 4, &all[3], 1}}, &region) == Status::kOk);
  CHECK(region.rank == 1 && region.axes[0].runs == nullptr && region.axes[0].held == 28);
  // Columns, transposed memory and a reversed axis are not one row.
  const Run columns{1, 2};
  CHECK(make({{3, 8, &all[0], 1}, {7, 4, &columns, 1}}, &region) == Status::kOk && region.rank == 2);
  CHECK(make({{3, 4, &all[0], 1}, {5, 12, &all[1], 1}}, &region) == Status::kOk && region.rank == 2);
  CHECK(make({{3, 20, &all[0], 1}, {5, -4, &all[1], 1}}, &region) == Status::kOk && region.rank == 2);
  // One column: rows of a single index.
  const Run column{2, 1};
  CHECK(make({{3, 4, &all[0], 1}, {7, 4, &column, 1}}, &region) == Status::kOk);
  CHECK(region.rank == 2 && region.axes[0].held == 1 && region.axes[1].index_step == 7);
}

void equal_rows_come_as_one_tile() {
  const Run rows{0, 1000};
  const Run columns{3, 1};
  Region region;
  CHECK(make({{1000, 4, &rows, 1}, {16, 4, &columns, 1}}, &region) == Status::kOk);
  fanfill::RowCursor cursor;
  cursor.reset(region);
  cursor.seek(10, 990);
  fanfill::RowTile tile;
  CHECK(cursor.next(&tile));
  CHECK(tile.start == 163 && tile.count == 1 && tile.rows == 980);
  CHECK(tile.row_index_step == 16 && tile.row_byte_step == 4 && tile.byte_offset == 40);
  CHECK(!cursor.next(&tile));
}

void bad_axes_are_refused() {
  CHECK(status_of(10, {{0, 10}}) == Status::kOk);
  CHECK(status_of(10, {}) == Status::kOk);
  CHECK(status_of(10, {{10, 0}}) == Status::kOk);
  CHECK(status_of(10, {{0, 11}}) == Status::kBadRegion);
  CHECK(status_of(10, {{11, 0}}) == Status::kBadRegion);
  CHECK(status_of(10, {{5, ~std::uint64_t{0}}}) == Status::kBadRegion);
  CHECK(status_of(10, {{~std::uint64_t{0}, 5}}) == Status::kBadRegion);
  CHECK(status_of(10, {{4, 2}, {0, 2}}) == Status::kBadRegion);
  CHECK(status_of(10, {{0, 3}, {2, 3}}) == Status::kBadRegion);
  CHECK(status_of(10, {{0, 3}, {3, 0}, {2, 1}}) == Status::kBadRegion);
  CHECK(status_of(0, {{0, 1}}) == Status::kBadRegion);
  CHECK(status_of(10, {{0, 10}}, INT64_MAX) == Status::kBadRegion);
  CHECK(status_of(10, {{0, 10}}, INT64_MIN) == Status::kBadRegion);
  CHECK(status_of(10, {{0, 1}}, INT64_MIN) == Status::kOk);  // no neighbour, no distance
  CHECK(status_of(kOne << 62, {{0, 1}}) == Status::kOk);
  CHECK(status_of((kOne << 62) + 1, {{0, 1}}) == Status::kTooLarge);
  Region region;
  const Run one{0, 1};
  const Run none{0, 0};
  const Run too_many{0, 3};
  CHECK(make({{kOne << 31, 4, &one, 1}, {kOne << 31, 4, &one, 1}}, &region) == Status::kOk);
  CHECK(make({{kOne << 31, 4, &one, 1}, {(kOne << 31) + 1, 4, &one, 1}}, &region) == Status::kTooLarge);
  CHECK(make({{kOne << 63, 4, &one, 1}, {kOne << 63, 4, &one, 1}}, &region) == Status::kTooLarge);
  CHECK(make({{2, kOne << 61, &one, 1}, {2, 4, nullptr, 1}}, &region) == Status::kBadRegion);
  CHECK(make({{0, 4, &none, 1}, {kOne << 62, 4, &one, 1}}, &region) == Status::kOk && region.elements == 0);
  CHECK(make({{0, 4, &none, 1}, {2, 4, &too_many, 1}}, &region) == Status::kBadRegion);
  CHECK(fanfill::make_region(nullptr, 1, 4, &region) == Status::kBadArgument);
  CHECK(fanfill::make_region(nullptr, 0, 4, &region) == Status::kOk && region.elements == 1);
}

// Many axes: those of one index, and as many of two as there can be.
void any_rank_is_walked() {
  const Run one{0, 1};
  const Run two{0, 2};
  std::vector<Axis> axes(5000, Axis{1, 12, &one, 1});
  for (int i = 0; i < 3; ++i) axes[static_cast<std::size_t>(i) * 1000] = Axis{2, 8 << i, &two, 1};
  Region region;
  CHECK(make(axes, &region) == Status::kOk);
  CHECK(region.elements == 8);
  std::vector<Axis> deep;
  for (int i = 0; i < 62; ++i) deep.push_back({2, i % 2 == 0 ? 4 : -4, &two, 1});
  CHECK(make(deep, &region) == Status::kOk);
  CHECK(region.elements == kOne << 62 && region.rank == 62);
  fanfill::RowCursor cursor;
  cursor.reset(region);
  std::vector<Element> met;
  walk(cursor, (kOne << 62) - 5, kOne << 62, &met);
  CHECK(met.size() == 5 && met.front().index == (kOne << 62) - 5 && met.back().index == (kOne << 62) - 1);
}

void indices_pass_every_power_of_two() {
  const Run all{0, 8};
  for (const int power : {31, 32, 33, 34, 40, 61}) {
    const std::uint64_t edge = kOne << power;
    // A flat run across the edge.
    const Run flat{edge - 3, 7};
    Region region;
    CHECK(make({{kOne << 62, 4, &flat, 1}}, &region) == Status::kOk);
    fanfill::RowCursor cursor;
    cursor.reset(region);
    std::vector<Element> met;
    walk(cursor, 2, 7, &met);
    CHECK(met.size() == 5 && met.front().index == edge - 1 && met.back().index == edge + 3);
    CHECK(met.back().byte_offset == 24);
    // Rows of 8 across it, two runs of them.
    const Run rows[] = {{edge / 8 - 2, 3}, {edge / 8 + 5, 1}};
    CHECK(make({{kOne << 59, 32, rows, 2}, {8, 4, &all, 1}}, &region) == Status::kOk);
    CHECK(region.rank == 1);
    cursor.reset(region);
    met.clear();
    walk(cursor, 15, 26, &met);
    CHECK(met.front().index == edge - 1 && met[1].index == edge && met[8].index == edge + 7);
    CHECK(met[9].index == edge + 40 && met[9].byte_offset == 96);
  }
  // Far places of memory: an array of 2^34 float32 whose every element is held.
  const Run huge{0, kOne << 34};
  Region region;
  CHECK(make({{kOne << 34, 4, &huge, 1}}, &region) == Status::kOk);
  fanfill::RowCursor cursor;
  cursor.reset(region);
  fanfill::RowTile tile;
  cursor.seek((kOne << 34) - 5, kOne << 34);
  CHECK(cursor.next(&tile) && tile.byte_offset == ((std::int64_t{1} << 34) - 5) * 4 && tile.count == 5);
}

void many_runs_are_walked_once() {
  std::vector<Run> runs;
  for (std::uint64_t i = 0; i < 200000; ++i) runs.push_back({3 * i, 2});
  Region region;
  CHECK(make({{600000, 4, runs.data(), runs.size()}}, &region) == Status::kOk);
  fanfill::RowCursor cursor;
  cursor.reset(region);
  std::vector<Element> met;
  // In pieces of 7: quadratic time would make this test take minutes.
  for (std::uint64_t begin = 0; begin < region.elements; begin += 7) {
    walk(cursor, begin, begin + 7 < region.elements ? begin + 7 : region.elements, &met);
  }
  CHECK(met.size() == 400000);
  for (std::size_t i = 0; i < met.size(); ++i) CHECK(met[i].index == 3 * (i / 2) + i % 2);
}

}  // namespace

int main() {
  random_regions_are_walked_in_order_in_any_pieces();
  memory_spanned_is_exact();
  contiguous_regions_collapse();
  equal_rows_come_as_one_tile();
  bad_axes_are_refused();
  any_rank_is_walked();
  indices_pass_every_power_of_two();
  many_runs_are_walked_once();
  return 0;
}
