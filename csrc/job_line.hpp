// All jobs of a fill, checked and laid end to end, so that one range of positions covers them.
// It must not know threads, nor how rows are written.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "fanfill/fanfill.hpp"
#include "kernel/law_plan.hpp"
#include "parallel.hpp"
#include "plan_cache.hpp"
#include "region.hpp"

namespace fanfill {

// Beyond its elements, a job takes as long as about this many more, and a row as this many.
inline constexpr std::uint64_t kJobPositions = 64;
inline constexpr std::uint64_t kRowPositions = 8;

// How many elements' time each element takes, its part of the row's own included: 9 where every row is one
// element, 1 where rows are long.
inline std::uint64_t positions_per_element(const Region& region) noexcept {
  if (region.elements == 0) return 1;
  const RegionAxis& row_axis = region.axes[0];
  return 1 + kRowPositions / std::max<std::uint64_t>(1, row_axis.held / row_axis.run_count);
}

// Whether 2 MiB of the law's elements are written within a few milliseconds: those that are drawn in vectors.
inline bool is_fast(const LawPlan& plan) noexcept {
  return plan.transform != Transform::kTruncatedWide && plan.transform != Transform::kTruncatedFar &&
         plan.transform != Transform::kLogUniform && plan.transform != Transform::kArange;
}

// Beyond so many positions any number of threads is worth it; the cap keeps sums from overflowing.
inline constexpr std::uint64_t kAmpleWork = std::uint64_t{1} << 34;

// The time that an element takes, in sixteenths of a nanosecond on one fast core: enough to tell whether a
// thread is worth its start.
inline std::uint64_t element_work(const LawPlan& plan) noexcept {
  const std::uint64_t by_size = plan.dtype == DType::kFloat64 ? 4 : 1;
  switch (plan.transform) {
    case Transform::kConstant:
      return 1;
    case Transform::kUniformSymmetric:
      return 4 * by_size;
    case Transform::kUniform:
      return 6 * by_size;
    case Transform::kArange:
      return 16;
    case Transform::kTruncatedWide:
    case Transform::kLogUniform:
      return 512;
    case Transform::kTruncatedFar:
      return 8192;
    default:
      return 8 * by_size;
  }
}

inline bool is_aligned(const void* memory, std::size_t size) noexcept {
  return reinterpret_cast<std::uintptr_t>(memory) % size == 0;
}

inline bool is_dtype(DType dtype) noexcept { return static_cast<int>(dtype) < kDTypeCount; }

inline Status check_job(const Job& job, PlanCache* plans, Region* region) noexcept {
  if (!is_dtype(job.dtype)) return Status::kBadArgument;
  const std::size_t size = element_size(job.dtype);
  const Status law_status = plans->plan(job.law, job.dtype);
  if (law_status != Status::kOk) return law_status;
  const Status region_status = make_region(job.axes, job.rank, size, region);
  if (region_status != Status::kOk || region->elements == 0) return region_status;
  if (job.data == nullptr) return Status::kNullData;
  if (!is_aligned(job.data, size)) return Status::kMisaligned;
  for (std::size_t i = 0; i < region->rank; ++i) {
    if (region->axes[i].byte_stride % static_cast<std::int64_t>(size) != 0) return Status::kMisaligned;
  }
  return Status::kOk;
}

// Job j takes the positions from where it begins up to where j + 1 begins: kJobPositions for itself and then
// positions_per_element for each element, so that equal ranges of positions take about equal time. Where jobs
// begin is noted for a fixed number of them only, so that 45,000 jobs need no more memory than one.
class JobLine {
 public:
  JobLine(const Job* jobs, std::size_t count) noexcept
      : jobs_(jobs), count_(count), jobs_per_mark_(count / kMarks + 1) {}

  // Checks every job and notes where it begins.
  Status survey(PlanCache* plans, Interrupt* interrupt) noexcept {
    Region region;
    for (std::size_t j = 0; j < count_; ++j) {
      if (j % jobs_per_mark_ == 0) marks_[j / jobs_per_mark_] = positions_;
      if (j % 64 == 63 && interrupt->requested()) return Status::kInterrupted;
      const Status status = check_job(jobs_[j], plans, &region);
      if (status != Status::kOk) return status;
      const std::uint64_t size = element_size(jobs_[j].dtype);
      const std::uint64_t cost = positions_per_element(region);
      const std::uint64_t room = (kMaxElements - bytes_) / size;
      if (room < kJobPositions || region.elements > (room - kJobPositions) / cost) return Status::kTooLarge;
      const std::uint64_t positions = kJobPositions + region.elements * cost;
      elements_ += region.elements;
      positions_ += positions;
      bytes_ += positions * size;
      work_ += std::min(positions, kAmpleWork) * element_work(*plans->known(jobs_[j].law, jobs_[j].dtype));
      if (region.elements * size > largest_bytes_) {
        largest_bytes_ = region.elements * size;
        largest_ = j;
      }
    }
    return Status::kOk;
  }

  const Job& job(std::size_t j) const noexcept { return jobs_[j]; }
  std::size_t count() const noexcept { return count_; }
  std::uint64_t elements() const noexcept { return elements_; }
  std::uint64_t positions() const noexcept { return positions_; }
  std::uint64_t bytes() const noexcept { return bytes_; }  // of as many elements as positions
  std::uint64_t work() const noexcept { return work_; }    // see element_work
  const Job& largest() const noexcept { return jobs_[largest_]; }

  // The last job before or at `position` whose beginning is noted.
  std::size_t marked_before(std::uint64_t position, std::uint64_t* begin) const noexcept {
    const std::size_t marks = (count_ - 1) / jobs_per_mark_ + 1;
    const std::uint64_t* after = std::upper_bound(marks_, marks_ + marks, position);
    *begin = after[-1];
    return static_cast<std::size_t>(after - marks_ - 1) * jobs_per_mark_;
  }

 private:
  static constexpr std::size_t kMarks = 512;

  const Job* jobs_;
  std::size_t count_;
  std::size_t jobs_per_mark_;
  std::uint64_t elements_ = 0;
  std::uint64_t positions_ = 0;
  std::uint64_t bytes_ = 0;
  std::uint64_t work_ = 0;
  std::uint64_t largest_bytes_ = 0;
  std::size_t largest_ = 0;
  std::uint64_t marks_[kMarks];
};

}  // namespace fanfill
