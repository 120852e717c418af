// The C interface: its structs to those of the C++ interface, and statuses back.
// It must not know how anything is filled, and lets no exception out.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>

#include "fanfill/fanfill.h"
#include "fanfill/fanfill.hpp"

namespace {

constexpr int kMaxRank = 64;

static_assert(static_cast<int>(fanfill::DType::kFloat8E5M2) == FANFILL_FLOAT8_E5M2 &&
                  FANFILL_FLOAT8_E5M2 + 1 == fanfill::kDTypeCount,
              "dtypes agree");
static_assert(static_cast<int>(fanfill::LawKind::kArange) == FANFILL_ARANGE &&
                  FANFILL_ARANGE + 1 == fanfill::kLawKindCount,
              "laws agree");
static_assert(static_cast<int>(fanfill::ValueMap::kInverseSoftplus) == FANFILL_INVERSE_SOFTPLUS &&
                  FANFILL_INVERSE_SOFTPLUS + 1 == fanfill::kValueMapCount,
              "maps agree");
static_assert(static_cast<int>(fanfill::Status::kNotPositive) == FANFILL_NOT_POSITIVE, "statuses agree");

bool is_below(std::int32_t value, int end) { return value >= 0 && value < end; }

bool is_well_formed(const fanfill_job& job) {
  return is_below(job.dtype, fanfill::kDTypeCount) && is_below(job.law, fanfill::kLawKindCount) &&
         is_below(job.bound_unit, FANFILL_SIGMA + 1) && is_below(job.value_map, fanfill::kValueMapCount) &&
         is_below(job.correct_variance, 2) && is_below(job.rank, kMaxRank + 1) &&
         (job.rank == 0 || job.shape != nullptr);
}

std::int64_t element_size(std::int32_t dtype) {
  constexpr std::int64_t kSizes[] = {8, 4, 2, 2, 1, 1};
  return kSizes[dtype];
}

fanfill::Law law_of(const fanfill_job& job) {
  fanfill::Law law;
  law.kind = static_cast<fanfill::LawKind>(job.law);
  law.mean = job.mean;
  law.std = job.std;
  law.low = job.low;
  law.high = job.high;
  law.unit = static_cast<fanfill::BoundUnit>(job.bound_unit);
  law.correct_variance = job.correct_variance != 0;
  law.map = static_cast<fanfill::ValueMap>(job.value_map);
  law.floor = job.floor;
  law.step = job.step;
  law.period = job.period;
  return law;
}

// Writes the job's axes and runs. False where the strides of row-major memory have no 64 bits.
bool describe(const fanfill_job& job, fanfill::Axis* axes, fanfill::Run* runs) {
  std::int64_t stride = element_size(job.dtype);
  for (int d = job.rank - 1; d >= 0; --d) {
    runs[d] = {job.offset != nullptr ? job.offset[d] : 0, job.shape[d]};
    axes[d].extent = job.global_shape != nullptr ? job.global_shape[d] : job.shape[d];
    axes[d].byte_stride = job.byte_strides != nullptr ? job.byte_strides[d] : stride;
    axes[d].runs = runs + d;
    axes[d].run_count = job.shape[d] > 0 ? 1 : 0;
    if (job.byte_strides == nullptr && job.shape[d] > 1 &&
        __builtin_mul_overflow(stride, job.shape[d], &stride))
      return false;
  }
  return true;
}

}  // namespace

extern "C" {

int fanfill_fill(int abi, const fanfill_job* jobs, std::size_t count, std::uint64_t seed, int threads) {
  if (abi != FANFILL_ABI) return FANFILL_BAD_ABI;
  if (threads < 1) return FANFILL_BAD_ARGUMENT;
  if (count > 0 && jobs == nullptr) return FANFILL_NULL_DATA;
  std::size_t axis_count = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (!is_well_formed(jobs[i])) return FANFILL_BAD_ARGUMENT;
    axis_count += static_cast<std::size_t>(jobs[i].rank);
  }
  const std::unique_ptr<fanfill::Job[]> described(new (std::nothrow) fanfill::Job[count]);
  const std::unique_ptr<fanfill::Axis[]> axes(new (std::nothrow) fanfill::Axis[axis_count]);
  const std::unique_ptr<fanfill::Run[]> runs(new (std::nothrow) fanfill::Run[axis_count]);
  if (described == nullptr || axes == nullptr || runs == nullptr) return FANFILL_NO_MEMORY;
  std::size_t at = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (!describe(jobs[i], axes.get() + at, runs.get() + at)) return FANFILL_TOO_LARGE;
    fanfill::Job& job = described[i];
    job.data = jobs[i].data;
    job.dtype = static_cast<fanfill::DType>(jobs[i].dtype);
    job.law = law_of(jobs[i]);
    job.stream = jobs[i].stream;
    job.axes = axes.get() + at;
    job.rank = static_cast<std::size_t>(jobs[i].rank);
    at += job.rank;
  }
  fanfill::Options options;
  options.seed = seed;
  options.threads = threads;
  return static_cast<int>(fanfill::fill_many(described.get(), count, options));
}

const char* fanfill_message(int status) {
  if (status == FANFILL_NO_MEMORY) return "there is no memory for a few numbers per job";
  if (status == FANFILL_BAD_ABI) return "the caller was compiled against another version of fanfill.h";
  if (status < FANFILL_OK || status > FANFILL_NOT_POSITIVE) return "not a status";
  return fanfill::message(static_cast<fanfill::Status>(status));
}

int fanfill_abi() { return FANFILL_ABI; }

int fanfill_contract_version() { return fanfill::kContractVersion; }

}  // extern "C"
