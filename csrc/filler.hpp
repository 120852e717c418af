// Writes ranges of positions of a line of jobs: what one thread of a fill does.
// It must not know how threads share the ranges out, nor how a value is made.
#pragma once

#include <cstdint>

#include "job_line.hpp"
#include "kernel/table.hpp"
#include "page_policy.hpp"
#include "parallel.hpp"
#include "plan_cache.hpp"
#include "region.hpp"

namespace fanfill {

struct Fill {
  const JobLine& line;
  const KernelTable& table;
  const PlanCache& plans;  // of the survey: it has met the last jobs
  std::uint64_t seed;
  int threads;
  std::uint64_t cut_bytes;
  StreamingGain streaming;
};

// Fills ranges of positions, best in ascending order.
class Filler {
 public:
  explicit Filler(const Fill& fill) noexcept : fill_(fill) { enter(0, 0); }

  void fill_range(const Range& range) noexcept {
    if (range.begin < filled_) go_back(range.begin);
    filled_ = range.end;
    seek(range.begin);
    for (;;) {
      const std::uint64_t first = element_at(range.begin);
      const std::uint64_t last = element_at(range.end);
      if (first < last) fill_elements(first, last);
      if (range.end <= end_ || job_ + 1 == fill_.line.count()) return;
      enter(job_ + 1, end_);
    }
  }

 private:
  // Rows shorter than this share their calls of the kernel with others.
  static constexpr std::uint64_t kShortRow = 2048;
  static constexpr std::size_t kPlaces = 64;  // tiles
  // Of rows whose elements lie farther apart than the rows do, the kernel takes so many at once that it
  // writes whole cache lines.
  static constexpr std::uint64_t kStripColumns = 48;
  static constexpr std::uint64_t kStripRows = 16;

  void enter(std::size_t job, std::uint64_t begin) noexcept {
    job_ = job;
    begin_ = begin;
    const Job& entered = fill_.line.job(job);
    size_ = element_size(entered.dtype);
    make_region(entered.axes, entered.rank, size_, &region_);
    positions_per_element_ = positions_per_element(region_);
    end_ = begin + kJobPositions + region_.elements * positions_per_element_;
    is_fast_ = fill_.cut_bytes > kCacheLine && is_fast(*find_plan(entered.law, entered.dtype));
    is_ready_ = false;
  }

  // To a part of another thread. What was chosen for the present job stays.
  void go_back(std::uint64_t position) noexcept {
    if (position < begin_)
      enter(0, 0);
    else if (is_ready_)
      cursor_.reset(region_);
  }

  void seek(std::uint64_t position) noexcept {
    if (position < end_) return;
    std::uint64_t marked_begin = 0;
    const std::size_t marked = fill_.line.marked_before(position, &marked_begin);
    if (marked > job_) enter(marked, marked_begin);
    while (position >= end_) enter(job_ + 1, end_);
  }

  // The element of the present job that a cut at `position` falls on: where the elements are contiguous one
  // that begins a cache line, or a huge page, so that two threads share none. Any cut is right, if only both
  // sides use the same.
  std::uint64_t element_at(std::uint64_t position) const noexcept {
    if (position <= begin_ + kJobPositions) return 0;
    if (position >= end_) return region_.elements;
    const std::uint64_t element = (position - begin_ - kJobPositions) / positions_per_element_;
    const auto address = reinterpret_cast<std::uintptr_t>(fill_.line.job(job_).data);
    const std::uint64_t cut = cut_bytes();
    const std::uint64_t lead = (cut - address % cut) % cut / size_;
    const std::uint64_t step = std::max<std::uint64_t>(kCutElements, cut / size_);
    return element < lead ? 0 : element - (element - lead) % step;
  }

  // Between huge pages only where the law is fast, for only at a cut is an interrupt noticed.
  std::uint64_t cut_bytes() const noexcept {
    const bool is_large = fill_.cut_bytes > kCacheLine && region_.rank == 1 &&
                          has_long_rows(region_, size_) && span_bytes(region_) >= kPopulatedJobBytes &&
                          is_fast_;
    return is_large ? fill_.cut_bytes : kCacheLine;
  }

  void fill_elements(std::uint64_t first, std::uint64_t last) noexcept {
    const Job& job = fill_.line.job(job_);
    if (!is_ready_) {
      plan_ = find_plan(job.law, job.dtype);
      cursor_.reset(region_);
      policy_ = choose_policy(job, region_, fill_.line.bytes(), fill_.threads, fill_.streaming);
      is_ready_ = true;
    }
    cursor_.seek(first, last);
    RowTile tile;
    while (cursor_.next(&tile)) fill_tile(job, tile);
    fill_places();
  }

  // The survey has planned every law without fault, so planning it again succeeds.
  const LawPlan* find_plan(const Law& law, DType dtype) noexcept {
    const LawPlan* known = fill_.plans.known(law, dtype);
    if (known != nullptr) return known;
    own_plans_.plan(law, dtype);
    return own_plans_.known(law, dtype);
  }

  void fill_tile(const Job& job, const RowTile& tile) noexcept {
    char* const out = static_cast<char*>(job.data) + tile.byte_offset;
    if (tile.rows > 1 && magnitude(tile.byte_stride) > magnitude(tile.row_byte_step)) {
      add_strips(tile, out);
    } else if (region_.rank > 1 && tile.count < kShortRow) {
      add_rows(tile, 0, tile.rows, 0, tile.count, out);
    } else {
      for (std::uint64_t i = 0; i < tile.rows; ++i) {
        fill_row(job, tile, tile.start + i * tile.row_index_step,
                 out + static_cast<std::int64_t>(i) * tile.row_byte_step);
      }
    }
  }

  void fill_row(const Job& job, const RowTile& tile, std::uint64_t start, char* out) noexcept {
    if (tile.byte_stride == static_cast<std::int64_t>(size_)) policy_.maker.make(out, tile.count * size_);
    fill_.table.fill_row(
        *plan_, RowJob{fill_.seed, job.stream, start, tile.count, out, tile.byte_stride, policy_.store});
  }

  void add_strips(const RowTile& tile, char* out) noexcept {
    for (std::uint64_t row = 0; row < tile.rows; row += kStripRows) {
      const std::uint64_t end = std::min(row + kStripRows, tile.rows);
      for (std::uint64_t begin = 0; begin < tile.count; begin += kStripColumns) {
        const std::uint64_t count = std::min(kStripColumns, tile.count - begin);
        add_rows(tile, row, end, begin, count, out);
        fill_places();
      }
    }
  }

  // Of the rows row .. end, the elements begin .. begin + count; `out` is where the tile begins.
  void add_rows(const RowTile& tile, std::uint64_t row, std::uint64_t end, std::uint64_t begin,
                std::uint64_t count, char* out) noexcept {
    if (place_count_ == kPlaces) fill_places();
    places_[place_count_++] = {tile.start + row * tile.row_index_step + begin,
                               count,
                               out + static_cast<std::int64_t>(row) * tile.row_byte_step +
                                   static_cast<std::int64_t>(begin) * tile.byte_stride,
                               end - row,
                               tile.row_index_step,
                               tile.row_byte_step};
  }

  void fill_places() noexcept {
    if (place_count_ == 0) return;
    const RowJob common{fill_.seed,   fill_.line.job(job_).stream, 0, 0, nullptr, region_.axes[0].byte_stride,
                        policy_.store};
    fill_.table.fill_rows(*plan_, common, places_, place_count_);
    place_count_ = 0;
  }

  const Fill& fill_;
  PlanCache own_plans_;
  std::uint64_t filled_ = 0;  // where the last range ends
  std::size_t job_ = 0;
  std::uint64_t begin_ = 0;  // positions of the present job
  std::uint64_t end_ = 0;
  std::uint64_t positions_per_element_ = 1;
  std::size_t size_ = 0;
  bool is_fast_ = false;
  Region region_;
  // Of the present job, once `is_ready_`:
  bool is_ready_ = false;
  const LawPlan* plan_ = nullptr;
  RowCursor cursor_;
  PagePolicy policy_;
  std::size_t place_count_ = 0;
  RowPlaces places_[kPlaces];
};

}  // namespace fanfill
