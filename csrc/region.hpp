// The part of a tensor that memory holds, in canonical form, and its rows of consecutive global indices.
// It must not know what is written into a row, nor how the rows are shared out among threads.
#pragma once

#include <cstddef>
#include <cstdint>

#include "fanfill/fanfill.hpp"

namespace fanfill {

inline constexpr std::uint64_t kMaxElements = std::uint64_t{1} << 62;

inline std::uint64_t magnitude(std::int64_t stride) noexcept {
  const auto bits = static_cast<std::uint64_t>(stride);
  return stride < 0 ? std::uint64_t{0} - bits : bits;
}

// One axis that is left after collapsing.
struct RegionAxis {
  std::uint64_t held;        // indices that the memory holds
  std::uint64_t index_step;  // global flat indices from one index to the next within a run
  std::int64_t byte_stride;
  const Run* runs;  // null where one run is held: its start is then part of Region::first_index
  std::size_t run_count;
  std::uint64_t scale;  // indices of this axis for each index of `runs`
};

// At least two indices are held along each axis that is left, so 62 of them reach kMaxElements. One more has
// a single index: the row axis, where the region holds no two consecutive global indices.
inline constexpr std::size_t kMaxRegionAxes = 63;

// The axes lie innermost first. The first is the row axis, of index step 1.
struct Region {
  std::uint64_t elements;
  std::uint64_t first_index;  // global flat index of element 0
  std::uint64_t bytes_below;  // from the lowest address held to element 0
  std::uint64_t bytes_above;  // from element 0 to the end of the element at the highest address held
  std::size_t rank;           // 0 only where there are no elements
  RegionAxis axes[kMaxRegionAxes];
};

// Checks the axes (outermost first) and puts them into canonical form. `region` keeps pointers to the runs of
// `axes`. Answers kOk, kBadRegion, kTooLarge or kBadArgument.
Status make_region(const Axis* axes, std::size_t rank, std::size_t element_size, Region* region) noexcept;

// Rows of equal length at equal distances.
struct RowTile {
  std::uint64_t start;       // global flat index of the first element of the first row
  std::uint64_t count;       // elements of a row: consecutive global indices
  std::int64_t byte_offset;  // of the first element of the first row, from element 0 of the region
  std::int64_t byte_stride;  // from one element of a row to the next
  std::uint64_t rows;
  std::uint64_t row_index_step;  // from one row to the next
  std::int64_t row_byte_step;
};

// Walks the elements begin .. end of a region, counted in row-major order, in tiles that cover them in that
// order. Seeking forward continues from where the cursor stands, so a walk in pieces costs as much as one
// walk.
class RowCursor {
 public:
  // `region` must have elements, and must outlive the cursor's use.
  void reset(const Region& region) noexcept;
  void seek(std::uint64_t begin, std::uint64_t end) noexcept;
  bool next(RowTile* tile) noexcept;  // false at the end

 private:
  struct Place {
    std::uint64_t at;         // index among the held ones
    std::uint64_t run_begin;  // the `at` with which the run begins
    std::size_t run;
  };
  void place(std::size_t axis, std::uint64_t at) noexcept;
  void advance(std::size_t axis, std::uint64_t count) noexcept;
  std::uint64_t left_in_run(std::size_t axis) const noexcept;
  std::uint64_t index_along(std::size_t axis) const noexcept;

  const Region* region_ = nullptr;
  std::uint64_t left_ = 0;
  Place places_[kMaxRegionAxes];
};

}  // namespace fanfill
