// The one waist that every write goes through: checks all jobs, cuts them into ranges, hands rows to a kernel
// table. It must not know how a value is made, how an instruction set is found, or anything of shapes, names
// and Python.
#include <algorithm>

#include "dispatch.hpp"
#include "fanfill/fanfill.hpp"
#include "filler.hpp"
#include "job_line.hpp"
#include "kernel/table.hpp"
#include "law.hpp"
#include "page_policy.hpp"
#include "parallel.hpp"
#include "plan_cache.hpp"

namespace fanfill {
namespace {

// Ranges of this many positions: large enough that claiming one costs nothing (20 microseconds at the fastest
// law), small enough that the slowest law, a microsecond a value, is interrupted within 50 ms.
constexpr std::uint64_t kMaxGrain = std::uint64_t{1} << 15;
constexpr std::uint64_t kMinGrain = std::uint64_t{1} << 12;
constexpr std::uint64_t kRangesPerThread = 8;

// In the units of element_work: to start a thread and to wait for it takes 30 to 60 microseconds.
constexpr std::uint64_t kWorkPerThread = 128'000 * 16;

void fill_on_this_thread(void* context, RangeSource& source) noexcept {
  const Fill& fill = *static_cast<const Fill*>(context);
  Filler filler(fill);
  Range range;
  while (source.next(&range)) filler.fill_range(range);
  fill.table.fence();
}

int useful_threads(std::uint64_t work, int threads) noexcept {
  const std::uint64_t useful = std::max<std::uint64_t>(1, work / kWorkPerThread);
  return useful < static_cast<std::uint64_t>(threads) ? static_cast<int>(useful) : threads;
}

// One core writes a constant as fast as memory takes it; in old memory another adds its start and nothing
// else. New memory is made by the system, which takes as many threads as it gets.
int threads_for_constants(const JobLine& line, const PlanCache& plans, int threads) noexcept {
  constexpr std::uint64_t kBytesPerThread = 64 * kMiB;
  const Job& largest = line.largest();
  const LawPlan* plan = plans.known(largest.law, largest.dtype);
  if (threads == 1 || plan == nullptr || plan->transform != Transform::kConstant) return threads;
  const std::uint64_t useful = std::max<std::uint64_t>(1, line.bytes() / kBytesPerThread);
  if (useful >= static_cast<std::uint64_t>(threads)) return threads;
  Region region;
  make_region(largest.axes, largest.rank, element_size(largest.dtype), &region);
  // Three pages, for the question must cost little beside a constant, and a wrong answer costs little too.
  const bool is_old = pages_resident(lowest_address(largest, region), span_bytes(region), 3);
  return is_old ? static_cast<int>(useful) : threads;
}

std::uint64_t grain_of(std::uint64_t positions, int threads) noexcept {
  const std::uint64_t even = positions / (static_cast<std::uint64_t>(threads) * kRangesPerThread);
  return std::clamp(even, kMinGrain, kMaxGrain) / kCutElements * kCutElements;
}

}  // namespace

Status fill(const Job& job, const Options& options) noexcept { return fill_many(&job, 1, options); }

Status fill_many(const Job* jobs, std::size_t job_count, const Options& options) noexcept {
  if (options.threads < 1 || (jobs == nullptr && job_count > 0)) return Status::kBadArgument;
  const KernelTable* table = nullptr;
  const Status isa_status = find_kernel_table(nullptr, &table);
  if (isa_status != Status::kOk) return isa_status;

  Interrupt interrupt(options.interrupted, options.context);
  PlanCache plans;
  JobLine line(jobs, job_count);
  const Status status = line.survey(&plans, &interrupt);
  if (status != Status::kOk || line.elements() == 0) return status;

  const int threads = threads_for_constants(line, plans, useful_threads(line.work(), options.threads));
  const std::uint64_t grain = threads == 1 ? kMaxGrain : grain_of(line.positions(), threads);
  const std::uint64_t cut = threads == 1 ? kCacheLine : cut_bytes(line.largest(), threads);
  Fill fill{line, *table, plans, options.seed, threads, cut, streaming_gain()};
  const bool is_done = parallel_for(line.positions(), grain, threads, &interrupt, fill_on_this_thread, &fill);
  return is_done ? Status::kOk : Status::kInterrupted;
}

Status transform(const char* isa, const Law& law, DType dtype, const void* words, const void* tails,
                 std::size_t count, void* out) noexcept {
  const KernelTable* table = nullptr;
  const Status isa_status = find_kernel_table(isa, &table);
  if (isa_status != Status::kOk) return isa_status;
  if (!is_dtype(dtype)) return Status::kBadArgument;
  const std::size_t size = element_size(dtype);
  LawPlan plan;
  const Status law_status = plan_law(law, dtype, &plan);
  if (law_status != Status::kOk || count == 0) return law_status;
  if (words == nullptr || tails == nullptr || out == nullptr) return Status::kNullData;
  const std::size_t word_size = dtype == DType::kFloat64 ? 8 : 4;
  if (!is_aligned(words, word_size) || !is_aligned(tails, word_size) || !is_aligned(out, size)) {
    return Status::kMisaligned;
  }
  table->transform(plan, words, tails, count, out);
  return Status::kOk;
}

Status raw_words(const char* isa, std::uint64_t seed, std::uint64_t stream, std::uint64_t start,
                 std::size_t count, std::uint32_t* out, Domain domain) noexcept {
  const KernelTable* table = nullptr;
  const Status isa_status = find_kernel_table(isa, &table);
  if (isa_status != Status::kOk) return isa_status;
  if (domain > Domain::kBitGenerator) return Status::kBadArgument;
  if (count == 0) return Status::kOk;
  if (out == nullptr) return Status::kNullData;
  if (!is_aligned(out, sizeof *out)) return Status::kMisaligned;
  if (count - 1 > ~std::uint64_t{0} - start) return Status::kTooLarge;
  table->raw_words(seed, stream, static_cast<std::uint64_t>(domain) << 62, start, count, out);
  return Status::kOk;
}

Status round_to(const char* isa, DType dtype, const float* values, std::size_t count, void* out) noexcept {
  const KernelTable* table = nullptr;
  const Status isa_status = find_kernel_table(isa, &table);
  if (isa_status != Status::kOk) return isa_status;
  if (!is_dtype(dtype) || element_size(dtype) >= sizeof(float)) return Status::kBadArgument;
  if (count == 0) return Status::kOk;
  const std::size_t size = element_size(dtype);
  if (values == nullptr || out == nullptr) return Status::kNullData;
  if (!is_aligned(values, sizeof *values) || !is_aligned(out, size)) return Status::kMisaligned;
  table->round_to(dtype, values, count, out);
  return Status::kOk;
}

Status check_law(const Law& law, DType dtype) noexcept {
  LawPlan plan;
  return is_dtype(dtype) ? plan_law(law, dtype, &plan) : Status::kBadArgument;
}

}  // namespace fanfill
