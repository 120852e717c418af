// Checks and collapses the axes of a region and walks its rows of consecutive global indices.
// It must not know what is written into a row, nor how the rows are shared out among threads.
#include "region.hpp"

namespace fanfill {
namespace {

// No object reaches this far; within it, sums of two spans can't overflow.
constexpr std::uint64_t kMaxSpan = std::uint64_t{1} << 62;

// What one axis holds.
struct Holding {
  std::uint64_t held = 0;
  std::uint64_t start = 0;  // of the first run that is not empty
  bool is_one_run = true;   // the runs that are not empty follow each other without a gap
};

bool measure(const Axis& axis, Holding* holding) noexcept {
  if (axis.run_count > 0 && axis.runs == nullptr) return false;
  std::uint64_t end = 0;
  for (std::size_t i = 0; i < axis.run_count; ++i) {
    const Run& run = axis.runs[i];
    if (run.start < end || run.start > axis.extent || run.count > axis.extent - run.start) return false;
    if (run.count == 0) continue;
    if (holding->held == 0) {
      holding->start = run.start;
    } else if (run.start != end) {
      holding->is_one_run = false;
    }
    holding->held += run.count;
    end = run.start + run.count;
  }
  return true;
}

// Adds the span of one axis to the memory that the region covers; false where it leaves every address space.
bool extend_span(const RegionAxis& axis, Region* region) noexcept {
  const std::uint64_t stride = magnitude(axis.byte_stride);
  if (stride != 0 && axis.held - 1 > kMaxSpan / stride) return false;
  const std::uint64_t span = (axis.held - 1) * stride;
  std::uint64_t* side = axis.byte_stride < 0 ? &region->bytes_below : &region->bytes_above;
  if (span > kMaxSpan - *side) return false;
  *side += span;
  return true;
}

// Whether one step along `outer` continues, in memory and in the global index, where `inner` ends. Then
// `inner` is held from end to end, hence in one run.
bool continues(const RegionAxis& outer, const RegionAxis& inner) noexcept {
  return outer.index_step == inner.held * inner.index_step &&
         magnitude(outer.byte_stride) == inner.held * magnitude(inner.byte_stride) &&
         (outer.byte_stride < 0) == (inner.byte_stride < 0);
}

void push(const RegionAxis& axis, Region* region) noexcept { region->axes[region->rank++] = axis; }

void push_or_merge(const RegionAxis& axis, Region* region) noexcept {
  if (region->rank > 0) {
    RegionAxis& inner = region->axes[region->rank - 1];
    if (continues(axis, inner)) {
      const std::uint64_t inner_held = inner.held;
      inner.held = axis.held * inner_held;
      inner.runs = axis.runs;
      inner.run_count = axis.run_count;
      inner.scale = inner_held;
      return;
    }
  }
  push(axis, region);
}

// The product of the extents, and whether the region is empty. A zero among the extents hides no overflow.
Status count_elements(const Axis* axes, std::size_t rank, std::uint64_t* elements) noexcept {
  std::uint64_t global = 1;
  bool is_empty = false;
  std::uint64_t held = 1;
  for (std::size_t i = 0; i < rank; ++i) {
    Holding holding;
    if (!measure(axes[i], &holding)) return Status::kBadRegion;
    if (holding.held == 0) is_empty = true;
    if (axes[i].extent != 0) {
      if (axes[i].extent > kMaxElements / global) return Status::kTooLarge;
      global *= axes[i].extent;
    }
    held *= holding.held;
  }
  *elements = is_empty ? 0 : held;
  return Status::kOk;
}

}  // namespace

Status make_region(const Axis* axes, std::size_t rank, std::size_t element_size, Region* region) noexcept {
  if (rank > 0 && axes == nullptr) return Status::kBadArgument;
  region->first_index = 0;
  region->bytes_below = 0;
  region->bytes_above = element_size;
  region->rank = 0;
  const Status status = count_elements(axes, rank, &region->elements);
  if (status != Status::kOk || region->elements == 0) return status;

  const RegionAxis row_axis{1, 1, static_cast<std::int64_t>(element_size), nullptr, 1, 1};
  std::uint64_t index_step = 1;
  for (std::size_t i = rank; i-- > 0;) {
    const Axis& axis = axes[i];
    Holding holding;
    measure(axis, &holding);
    if (holding.is_one_run) region->first_index += holding.start * index_step;
    // One index has no neighbour along its axis: whatever its stride says, memory does not follow it.
    if (holding.held > 1) {
      RegionAxis held{holding.held, index_step, axis.byte_stride, nullptr, 1, 1};
      if (!holding.is_one_run) {
        held.runs = axis.runs;
        held.run_count = axis.run_count;
      }
      if (!extend_span(held, region)) return Status::kBadRegion;
      if (region->rank == 0 && index_step != 1) push(row_axis, region);
      push_or_merge(held, region);
    }
    index_step *= axis.extent;
  }
  if (region->rank == 0) push(row_axis, region);
  return Status::kOk;
}

void RowCursor::reset(const Region& region) noexcept {
  region_ = &region;
  left_ = 0;
  for (std::size_t i = 0; i < region.rank; ++i) {
    places_[i] = Place{0, 0, 0};
    if (region.axes[i].runs != nullptr) place(i, 0);  // past empty runs
  }
}

void RowCursor::place(std::size_t axis, std::uint64_t at) noexcept {
  const RegionAxis& along = region_->axes[axis];
  Place& here = places_[axis];
  here.at = at;
  if (along.runs == nullptr) return;
  if (at < here.run_begin) {
    here.run = 0;
    here.run_begin = 0;
  }
  while (at - here.run_begin >= along.runs[here.run].count * along.scale) {
    here.run_begin += along.runs[here.run].count * along.scale;
    ++here.run;
  }
}

void RowCursor::advance(std::size_t axis, std::uint64_t count) noexcept {
  while (axis < region_->rank) {
    const std::uint64_t at = places_[axis].at + count;
    if (at < region_->axes[axis].held) {
      place(axis, at);
      return;
    }
    place(axis, 0);
    ++axis;
    count = 1;
  }
}

std::uint64_t RowCursor::left_in_run(std::size_t axis) const noexcept {
  const RegionAxis& along = region_->axes[axis];
  const Place& here = places_[axis];
  if (along.runs == nullptr) return along.held - here.at;
  return here.run_begin + along.runs[here.run].count * along.scale - here.at;
}

std::uint64_t RowCursor::index_along(std::size_t axis) const noexcept {
  const RegionAxis& along = region_->axes[axis];
  const Place& here = places_[axis];
  const std::uint64_t start = along.runs == nullptr ? 0 : along.runs[here.run].start * along.scale;
  return (start + (here.at - here.run_begin)) * along.index_step;
}

void RowCursor::seek(std::uint64_t begin, std::uint64_t end) noexcept {
  left_ = end - begin;
  if (left_ == 0) return;
  std::uint64_t rest = begin;
  for (std::size_t i = 0; i < region_->rank; ++i) {
    // The outermost axis needs no division, which leaves none in the usual case of one axis.
    const bool is_last = i + 1 == region_->rank;
    const std::uint64_t held = region_->axes[i].held;
    place(i, is_last ? rest : rest % held);
    if (!is_last) rest /= held;
  }
}

bool RowCursor::next(RowTile* tile) noexcept {
  if (left_ == 0) return false;
  const RegionAxis& row_axis = region_->axes[0];
  const std::uint64_t in_run = left_in_run(0);
  tile->count = in_run < left_ ? in_run : left_;
  tile->byte_stride = row_axis.byte_stride;
  tile->start = region_->first_index;
  tile->byte_offset = 0;
  for (std::size_t i = 0; i < region_->rank; ++i) {
    tile->start += index_along(i);
    tile->byte_offset += static_cast<std::int64_t>(places_[i].at) * region_->axes[i].byte_stride;
  }
  tile->rows = 1;
  tile->row_index_step = 0;
  tile->row_byte_step = 0;
  if (tile->count == row_axis.held && region_->rank > 1) {  // a whole row: its equals follow
    const std::uint64_t in_rows = left_in_run(1);
    const std::uint64_t whole = left_ / tile->count;
    tile->rows = in_rows < whole ? in_rows : whole;
    tile->row_index_step = region_->axes[1].index_step;
    tile->row_byte_step = region_->axes[1].byte_stride;
    left_ -= tile->rows * tile->count;
    advance(1, tile->rows);
  } else {
    left_ -= tile->count;
    advance(0, tile->count);
  }
  return true;
}

}  // namespace fanfill
