// A kernel table, laws and a CPU of the tests' own, which come before the library's, whose dispatch and laws
// are thereby not linked: the values tell where they belong, and what the kernel was asked is recorded. It
// must not know how a fill asks.
#pragma once

#include <atomic>
#include <cstring>
#include <mutex>
#include <set>
#include <thread>

#include "check.hpp"
#include "dispatch.hpp"
#include "fanfill/fanfill.hpp"
#include "law.hpp"

namespace {

using fanfill::Axis;
using fanfill::DType;
using fanfill::Job;
using fanfill::Law;
using fanfill::Options;
using fanfill::Run;
using fanfill::Status;
using fanfill::StorePolicy;
using fanfill_test::Choices;
using fanfill_test::mix;

// What the kernel below has been asked, and by whom.
struct Record {
  std::mutex mutex;
  std::set<std::thread::id> threads;
  std::atomic<std::uint64_t> rows{0};
  std::atomic<std::uint64_t> streaming_rows{0};
  std::atomic<std::uint64_t> elements{0};
  std::atomic<std::uint64_t> shared_lines{0};  // rows that begin inside a cache line, but not the job's
  std::atomic<std::uint64_t> plans{0};
  std::atomic<int> fences{0};
  bool is_dry = false;  // counts, but writes nothing
  const void* first_byte = nullptr;

  void clear() {
    const std::lock_guard<std::mutex> lock(mutex);
    threads.clear();
    rows = streaming_rows = elements = shared_lines = plans = 0;
    fences = 0;
    is_dry = false;
    first_byte = nullptr;
  }
};

Record g_record;

std::size_t size_of(DType dtype) {
  constexpr std::size_t kSizes[] = {8, 4, 2, 2, 1, 1};
  return kSizes[static_cast<std::size_t>(dtype)];
}

std::uint64_t value_of(std::uint64_t seed, std::uint64_t stream, double mean, std::uint64_t index) {
  std::uint64_t mean_bits = 0;
  std::memcpy(&mean_bits, &mean, sizeof mean);
  return mix(mix(mix(seed) ^ stream) ^ mean_bits) ^ mix(index);
}

void fill_row(const fanfill::LawPlan& plan, const fanfill::RowJob& row) {
  {
    const std::lock_guard<std::mutex> lock(g_record.mutex);
    g_record.threads.insert(std::this_thread::get_id());
  }
  ++g_record.rows;
  g_record.elements += row.count;
  if (row.store == StorePolicy::kStreaming) ++g_record.streaming_rows;
  if (row.out != g_record.first_byte && reinterpret_cast<std::uintptr_t>(row.out) % 64 != 0) {
    ++g_record.shared_lines;
  }
  if (g_record.is_dry) return;
  const std::size_t size = size_of(plan.dtype);
  for (std::uint64_t i = 0; i < row.count; ++i) {
    const std::uint64_t value = value_of(row.seed, row.stream, plan.mean64, row.start + i);
    std::memcpy(static_cast<char*>(row.out) + static_cast<std::int64_t>(i) * row.byte_stride, &value, size);
  }
}

void fill_rows(const fanfill::LawPlan& plan, const fanfill::RowJob& common, const fanfill::RowPlaces* places,
               std::size_t count) {
  for (std::size_t i = 0; i < count; ++i)
    for (std::uint64_t j = 0; j < places[i].rows; ++j) {
      fanfill::RowJob row = common;
      row.start = places[i].start + j * places[i].index_step;
      row.count = places[i].count;
      row.out = static_cast<char*>(places[i].out) + static_cast<std::int64_t>(j) * places[i].byte_step;
      fill_row(plan, row);
    }
}

void fence() { ++g_record.fences; }

const fanfill::KernelTable kTable{"test", fill_row, fill_rows, fence, nullptr, nullptr, nullptr};

}  // namespace

namespace fanfill {

StreamingGain g_gain{true, true};
StreamingGain streaming_gain() noexcept { return g_gain; }

Status find_kernel_table(const char*, const KernelTable** table) noexcept {
  *table = &kTable;
  return Status::kOk;
}

Status plan_law(const Law& law, DType dtype, LawPlan* plan) noexcept {
  ++g_record.plans;
  if (law.std < 0) return Status::kBadStd;
  *plan = LawPlan{};
  plan->dtype = dtype;
  plan->transform = law.floor > 0 ? Transform::kConstant : Transform::kNormal;
  plan->mean64 = law.mean;
  return Status::kOk;
}

}  // namespace fanfill

namespace {

Options options_of(int threads, std::uint64_t seed = 7) {
  Options options;
  options.seed = seed;
  options.threads = threads;
  return options;
}

struct Flat {
  explicit Flat(std::uint64_t count, DType dtype = DType::kFloat32, std::int64_t stride = 0)
      : run{0, count},
        axis{count, stride == 0 ? static_cast<std::int64_t>(size_of(dtype)) : stride, &run, 1} {
    job.dtype = dtype;
    job.axes = &axis;
    job.rank = 1;
  }
  Flat(const Flat&) = delete;
  Run run;
  Axis axis;
  Job job;
};

}  // namespace
