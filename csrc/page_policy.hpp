// How a job's memory is best written: by which stores, whether its pages are made ahead, where threads share
// it. It must not know laws or values: whatever it chooses, the same bits are written.
#pragma once

#include <cstdint>

#include "job_line.hpp"
#include "kernel/table.hpp"
#include "mapping.hpp"
#include "pages.hpp"
#include "region.hpp"

namespace fanfill {

inline constexpr std::uint64_t kCacheLine = 64;
inline constexpr std::uint64_t kCutElements = 64;
inline constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;

// Streaming stores pay once a fill no longer fits a core's share of the last-level cache. A job much smaller
// than that says too little about which of its pages are new.
inline constexpr std::uint64_t kStreamingFillBytes = 8 * kMiB;
inline constexpr std::uint64_t kStreamingJobBytes = 2 * kMiB;
inline constexpr std::uint64_t kLongRowBytes = kMiB / 16;

// To find out whose the memory is takes some microseconds, and on older kernels up to a millisecond.
inline constexpr std::uint64_t kPopulatedJobBytes = 8 * kMiB;
inline constexpr std::uint64_t kListedJobBytes = 32 * kMiB;

// One call for so many bytes: more gain little, and leave less of them in the cache.
inline constexpr std::uint64_t kPopulateAhead = kMiB / 2;

// Where two threads write into one new huge page, both of them clear it, one in vain. Cuts between huge pages
// leave threads idle at the end for as long as one of them takes, so each thread must have many.
inline constexpr std::uint64_t kHugePagesPerThread = 8;

inline char* lowest_address(const Job& job, const Region& region) noexcept {
  return static_cast<char*>(job.data) - region.bytes_below;
}

inline std::uint64_t span_bytes(const Region& region) noexcept {
  return region.bytes_below + region.bytes_above;
}

// Whether rows are contiguous and mostly of so many bytes at least.
inline bool has_rows_of(std::uint64_t bytes, const Region& region, std::uint64_t element_size) noexcept {
  const RegionAxis& row_axis = region.axes[0];
  return row_axis.byte_stride == static_cast<std::int64_t>(element_size) &&
         row_axis.held / row_axis.run_count * element_size >= bytes;
}

inline bool has_long_rows(const Region& region, std::uint64_t element_size) noexcept {
  return has_rows_of(kLongRowBytes, region, element_size);
}

// Pages are made only where no file's and no other process's would be.
inline bool may_populate(const Job& job, const Region& region, int threads) noexcept {
  const std::uint64_t bytes = span_bytes(region);
  const bool may_list = bytes / static_cast<std::uint64_t>(threads) >= kListedJobBytes;
  return bytes >= kPopulatedJobBytes && is_private_anonymous(lowest_address(job, region), bytes,
                                                             may_list ? AskingCost::kHigh : AskingCost::kLow);
}

struct PagePolicy {
  StorePolicy store = StorePolicy::kOrdinary;
  PageMaker maker;
};

// One choice for the whole job, made before this thread writes to it: its own writes would make new pages
// look old, and huge pages do so far ahead of the element that is written.
inline PagePolicy choose_policy(const Job& job, const Region& region, std::uint64_t fill_bytes, int threads,
                                StreamingGain streaming) noexcept {
  PagePolicy policy;
  const std::uint64_t size = element_size(job.dtype);
  const bool is_large = fill_bytes >= kStreamingFillBytes && region.elements * size >= kStreamingJobBytes;
  const bool is_long = has_long_rows(region, size);
  const bool may_stream =
      is_long ? streaming.in_long_rows : streaming.in_short_rows && has_rows_of(kCacheLine, region, size);
  if (!is_large || !(is_long || may_stream)) return policy;
  char* const lowest = lowest_address(job, region);
  if (pages_resident(lowest, span_bytes(region))) {
    if (may_stream) policy.store = StorePolicy::kStreaming;
  } else if (is_long && may_populate(job, region, threads)) {
    policy.maker = PageMaker(lowest, span_bytes(region), threads == 1 ? kPopulateAhead : 0);
  }
  return policy;
}

// The addresses between which threads share large jobs are multiples of this.
inline std::uint64_t cut_bytes(const Job& largest, int threads) noexcept {
  Region region;
  const std::uint64_t size = element_size(largest.dtype);
  make_region(largest.axes, largest.rank, size, &region);
  const std::uint64_t least = kHugePageBytes * kHugePagesPerThread * static_cast<std::uint64_t>(threads);
  if (threads == 1 || region.rank != 1 || !has_long_rows(region, size) || span_bytes(region) < least) {
    return kCacheLine;
  }
  char* const lowest = lowest_address(largest, region);
  const bool is_huge = !pages_resident(lowest, span_bytes(region)) &&
                       may_populate(largest, region, threads) && populates_huge(lowest, span_bytes(region));
  return is_huge ? kHugePageBytes : kCacheLine;
}

}  // namespace fanfill
