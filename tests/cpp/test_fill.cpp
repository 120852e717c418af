// The waist: what it refuses, and how it cuts jobs among threads, over a kernel table of the tests' own.
// It must not know the real kernels, laws or dispatch.
#include <algorithm>
#include <chrono>
#include <cstring>
#include <vector>

#include "check.hpp"
#include "fanfill/fanfill.hpp"
#include "random_region.hpp"
#include "recording_kernel.hpp"

namespace {

Law law_of(double mean) {
  Law law;
  law.mean = mean;
  return law;
}

// A random region within a buffer of its own, whose every other byte must stay as it is.
struct RegionJob {
  fanfill_test::RandomRegion region;
  std::vector<fanfill_test::Element> elements;
  std::vector<unsigned char> memory;
  std::vector<unsigned char> expected;
  Job job;
};

constexpr unsigned char kUntouched = 0xA5;

RegionJob random_job(std::uint64_t max_extent, std::uint64_t seed, Choices& choose) {
  RegionJob made;
  made.job.dtype = static_cast<DType>(choose.below(fanfill::kDTypeCount));
  const std::size_t size = size_of(made.job.dtype);
  made.region = fanfill_test::random_region(size, max_extent, choose);
  made.elements = fanfill_test::elements_of(made.region);
  std::int64_t lowest = 0;
  std::int64_t highest = 0;
  for (const auto& element : made.elements) {
    lowest = std::min(lowest, element.byte_offset);
    highest = std::max(highest, element.byte_offset);
  }
  const std::size_t lead = 64 + size * choose.below(9);
  made.memory.assign(static_cast<std::size_t>(highest - lowest) + lead + 64, kUntouched);
  made.expected = made.memory;
  const std::int64_t origin = static_cast<std::int64_t>(lead) - lowest;
  made.job.data = made.memory.data() + origin;
  made.job.law = law_of(static_cast<double>(choose.below(3)));
  made.job.stream = choose.below(5);
  made.job.axes = made.region.axes.data();
  made.job.rank = made.region.axes.size();
  for (const auto& element : made.elements) {
    const std::uint64_t value = value_of(seed, made.job.stream, made.job.law.mean, element.index);
    std::memcpy(made.expected.data() + origin + element.byte_offset, &value, size);
  }
  return made;
}

void random_jobs_write_their_elements_and_nothing_else() {
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    Choices choose(seed);
    const std::uint64_t max_extent = seed % 3 == 0 ? 40 : 7;
    std::vector<RegionJob> made;
    std::vector<Job> jobs;
    for (std::uint64_t i = choose.below(60); i > 0; --i) made.push_back(random_job(max_extent, seed, choose));
    for (const RegionJob& one : made) jobs.push_back(one.job);
    for (const int threads : {1, 2, 5}) {
      for (RegionJob& one : made) std::fill(one.memory.begin(), one.memory.end(), kUntouched);
      CHECK(fanfill::fill_many(jobs.data(), jobs.size(), options_of(threads, seed)) == Status::kOk);
      for (const RegionJob& one : made) CHECK(one.memory == one.expected);
    }
  }
}

void many_small_jobs_are_shared_evenly() {
  constexpr std::size_t kJobs = 20000;
  std::vector<Run> runs(kJobs);
  std::vector<Axis> axes(kJobs);
  std::vector<Job> jobs(kJobs);
  std::vector<std::uint64_t> begins;
  Choices choose(1);
  std::uint64_t total = 0;
  for (std::size_t j = 0; j < kJobs; ++j) {
    runs[j] = {0, choose.below(10) == 0 ? 0 : choose.below(100)};
    axes[j] = {100, 4, &runs[j], 1};
    begins.push_back(total);
    total += runs[j].count;
  }
  std::vector<std::uint32_t> memory(total);
  for (std::size_t j = 0; j < kJobs; ++j) {
    jobs[j].data = runs[j].count == 0 ? nullptr : memory.data() + begins[j];
    jobs[j].law = law_of(static_cast<double>(j % 3));
    jobs[j].stream = j;
    jobs[j].axes = &axes[j];
    jobs[j].rank = 1;
  }
  for (const int threads : {1, 2, 3, 7}) {
    std::fill(memory.begin(), memory.end(), 0u);
    g_record.clear();
    CHECK(fanfill::fill_many(jobs.data(), kJobs, options_of(threads)) == Status::kOk);
    for (std::size_t j = 0; j < kJobs; ++j) {
      for (std::uint64_t i = 0; i < runs[j].count; ++i) {
        const std::uint64_t value = value_of(7, j, static_cast<double>(j % 3), i);
        CHECK(memory[begins[j] + i] == static_cast<std::uint32_t>(value));
      }
    }
    CHECK(g_record.elements == total);
    CHECK(g_record.plans == 3);  // however often the laws alternate
    CHECK(g_record.fences >= 1 && g_record.fences <= threads);
  }
}

void one_large_job_is_cut_at_cache_lines() {
  constexpr std::uint64_t kCount = 1u << 20;
  std::vector<std::uint32_t> memory(kCount + 64);
  for (const std::size_t lead : {0u, 1u, 12u}) {
    Flat flat(kCount);
    flat.job.data = memory.data() + lead;
    std::size_t most_threads = 0;  // on a busy machine a fill may be over before a second one begins
    for (int tries = 0; tries < 200 && most_threads < 2; ++tries) {
      g_record.clear();
      g_record.first_byte = flat.job.data;
      CHECK(fanfill::fill(flat.job, options_of(4)) == Status::kOk);
      CHECK(g_record.elements == kCount && g_record.rows > 16 && g_record.shared_lines == 0);
      most_threads = std::max(most_threads, g_record.threads.size());
    }
    CHECK(most_threads > 1);
    for (std::uint64_t i = 0; i < kCount; ++i) {
      CHECK(memory[lead + i] == static_cast<std::uint32_t>(value_of(7, 0, 0.0, i)));
    }
  }
}

void a_small_fill_stays_on_the_calling_thread() {
  std::vector<std::uint32_t> memory(512'000);
  Flat flat(memory.size() - 128);  // a quarter of a millisecond
  flat.job.data = memory.data();
  g_record.clear();
  CHECK(fanfill::fill(flat.job, options_of(8)) == Status::kOk);
  CHECK(g_record.threads == std::set<std::thread::id>{std::this_thread::get_id()});
}

Status status_of(const Job& job, int threads = 1) { return fanfill::fill(job, options_of(threads)); }

void bad_jobs_are_refused_before_anything_is_written() {
  std::vector<std::uint32_t> memory(8, 0xABCDu);
  Flat good(8);
  good.job.data = memory.data();
  const auto refused = [&](const Job& bad, Status expected) {
    const Job jobs[] = {good.job, bad};
    CHECK(fanfill::fill_many(jobs, 2, options_of(1)) == expected);
    for (const std::uint32_t value : memory) CHECK(value == 0xABCDu);
  };
  const Job job = good.job;
  const auto refused_with = [&](Status expected, auto&& spoil) {
    Job bad = job;
    spoil(bad);
    refused(bad, expected);
  };
  refused_with(Status::kNullData, [](Job& bad) { bad.data = nullptr; });
  refused_with(Status::kMisaligned, [](Job& bad) { bad.data = static_cast<char*>(bad.data) + 2; });
  refused_with(Status::kBadStd, [](Job& bad) { bad.law.std = -1.0; });
  refused_with(Status::kBadArgument, [](Job& bad) { bad.dtype = static_cast<DType>(6); });
  refused_with(Status::kBadArgument, [](Job& bad) { bad.axes = nullptr; });
  Flat misaligned(4, DType::kFloat32, 6);
  misaligned.job.data = memory.data();
  refused(misaligned.job, Status::kMisaligned);
  Flat outside(8);
  outside.run.start = 1;
  outside.job.data = memory.data();
  refused(outside.job, Status::kBadRegion);
  Flat far_stride(2, DType::kFloat32, INT64_MIN);
  far_stride.job.data = memory.data();
  refused(far_stride.job, Status::kBadRegion);
  Flat impossible(std::uint64_t{1} << 61, DType::kFloat64);
  impossible.job.data = memory.data();
  CHECK(status_of(impossible.job) != Status::kOk);
  CHECK(status_of(job, 0) == Status::kBadArgument && status_of(job, -1) == Status::kBadArgument);
  CHECK(fanfill::fill_many(nullptr, 1, options_of(1)) == Status::kBadArgument);
  CHECK(fanfill::fill_many(nullptr, 0, options_of(1)) == Status::kOk);
  for (const std::uint32_t value : memory) CHECK(value == 0xABCDu);
  CHECK(status_of(job) == Status::kOk && memory[0] != 0xABCDu);
}

void empty_jobs_and_scalars_are_jobs() {
  Flat empty(0);
  CHECK(status_of(empty.job) == Status::kOk);
  empty.job.law.std = -1.0;
  CHECK(status_of(empty.job) == Status::kBadStd);
  std::uint64_t memory = 0;
  Job scalar;
  scalar.data = &memory;
  scalar.dtype = DType::kFloat64;
  CHECK(status_of(scalar) == Status::kOk && memory == value_of(7, 0, 0.0, 0));
}

bool say_yes(void*) { return true; }

void an_interrupt_stops_a_fill_of_any_size() {
  using std::chrono::milliseconds;
  for (const int threads : {1, 3}) {
    Flat flat(std::uint64_t{1} << 59);
    flat.job.data = reinterpret_cast<void*>(64);  // nothing is written there
    g_record.clear();
    g_record.is_dry = true;
    Options options = options_of(threads);
    options.interrupted = say_yes;
    const auto begin = std::chrono::steady_clock::now();
    CHECK(fanfill::fill(flat.job, options) == Status::kInterrupted);
    CHECK(std::chrono::steady_clock::now() - begin < milliseconds(200));
    CHECK(g_record.rows > 0);
  }
  g_record.clear();
}

}  // namespace

int main() {
  random_jobs_write_their_elements_and_nothing_else();
  many_small_jobs_are_shared_evenly();
  one_large_job_is_cut_at_cache_lines();
  a_small_fill_stays_on_the_calling_thread();
  bad_jobs_are_refused_before_anything_is_written();
  empty_jobs_and_scalars_are_jobs();
  an_interrupt_stops_a_fill_of_any_size();
  return 0;
}
