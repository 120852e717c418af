// Which stores and how many threads a fill asks for, by the age of its memory and by the CPU, over a kernel
// table of the tests' own. It must not know what those stores do.
#include <sys/mman.h>

#include <algorithm>
#include <vector>

#include "check.hpp"
#include "fanfill/fanfill.hpp"
#include "recording_kernel.hpp"

namespace {

// Rows that were asked to be streamed.
std::uint64_t streamed(void* data, std::uint64_t count, std::int64_t stride = 0) {
  Flat flat(count, DType::kFloat32, stride);
  flat.job.data = data;
  g_record.clear();
  CHECK(fanfill::fill(flat.job, options_of(2)) == Status::kOk);
  CHECK(g_record.elements == count);
  return g_record.streaming_rows;
}

void stores_stream_into_large_old_memory_alone() {
  constexpr std::size_t kBytes = 32u << 20;
  void* fresh = mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  CHECK(fresh != MAP_FAILED);
  CHECK(streamed(fresh, kBytes / 4) == 0);
  const std::uint64_t again = streamed(fresh, kBytes / 4);
#ifdef __linux__
  CHECK(again == g_record.rows && again > 0);
#else
  CHECK(again == 0);
#endif
  fanfill::g_gain = {false, true};
  CHECK(streamed(fresh, kBytes / 4) == 0);
  fanfill::g_gain = {true, true};
  CHECK(streamed(fresh, (4u << 20) / 4) == 0);  // fits the cache
  CHECK(streamed(fresh, kBytes / 8, 8) == 0);   // not contiguous
  CHECK(streamed(static_cast<char*>(fresh) + (kBytes - 4), kBytes / 4, -4) == 0);
  CHECK(munmap(static_cast<char*>(fresh) + kBytes / 2, kBytes / 4) == 0);
  CHECK(mmap(static_cast<char*>(fresh) + kBytes / 2, kBytes / 4, PROT_READ | PROT_WRITE,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != MAP_FAILED);
  CHECK(streamed(fresh, kBytes / 4) == 0);  // new in part
  CHECK(munmap(fresh, kBytes) == 0);
}

void short_rows_stream_where_they_gain() {
  constexpr std::uint64_t kRows = std::uint64_t{1} << 16, kColumns = 64;
  std::vector<float> memory(kRows * 2 * kColumns, 1.0f);
  const Run rows{0, kRows}, columns{0, kColumns};
  for (const bool gains : {false, true}) {
    fanfill::g_gain = {true, gains};
    for (const std::int64_t step : {4, 8}) {
      const Axis axes[] = {{kRows, 8 * kColumns, &rows, 1}, {kColumns, step, &columns, 1}};
      Job job;
      job.data = memory.data();
      job.dtype = DType::kFloat32;
      job.axes = axes;
      job.rank = 2;
      g_record.clear();
      CHECK(fanfill::fill(job, options_of(2)) == Status::kOk);
      CHECK(g_record.elements == kRows * kColumns);
#ifdef __linux__
      CHECK(g_record.streaming_rows == (gains && step == 4 ? g_record.rows.load() : 0));
#else
      CHECK(g_record.streaming_rows == 0);
#endif
    }
  }
  fanfill::g_gain = {true, true};
}

void old_memory_takes_no_second_thread_for_a_constant() {
  constexpr std::size_t kBytes = 32u << 20;
  void* fresh = mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  CHECK(fresh != MAP_FAILED);
  for (const bool is_constant : {false, true}) {
    Flat flat(kBytes / 4);
    flat.job.data = fresh;
    flat.job.law.floor = is_constant ? 1.0 : 0.0;
    std::size_t most_threads = 0;  // on a busy machine a fill may be over before a second one begins
    for (int tries = 0; tries < 200 && most_threads < 2; ++tries) {
      g_record.clear();
      CHECK(fanfill::fill(flat.job, options_of(2)) == Status::kOk);
      most_threads = std::max(most_threads, g_record.threads.size());
    }
#ifdef __linux__
    CHECK(most_threads == (is_constant ? 1 : 2));
#endif
  }
  CHECK(munmap(fresh, kBytes) == 0);
}

}  // namespace

int main() {
  stores_stream_into_large_old_memory_alone();
  short_rows_stream_where_they_gain();
  old_memory_takes_no_second_thread_for_a_constant();
  return 0;
}
