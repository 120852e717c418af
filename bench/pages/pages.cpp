// Fills new and old memory under each policy of pages and stores, each forced, and times them.
// It must not know what the figures ought to be, nor how often anything is measured.
#include <sys/mman.h>
#include <time.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <thread>

#include "dispatch.hpp"
#include "fanfill/fanfill.hpp"
#include "kernel/table.hpp"
#include "law.hpp"

namespace {

constexpr std::size_t kHugePage = std::size_t{2} << 20;
constexpr std::size_t kStep = std::size_t{128} << 10;  // what a thread of a fill writes at a time
constexpr int kPopulateWrite = 23;

// As in policies.py.
enum Way : int {
  kMemset,
  kOrdinary,
  kStreaming,
  kPopulateChunks,  // `chunk` bytes just ahead of the fill
  kPopulateAll,     // everything first
  kHugeFirst,       // of each huge page the first byte touched, then filled
  kHugeLast,        // the last byte
  kPopulateOnly,    // pages and no values
  kAsShipped,       // fanfill::fill
};

fanfill::Law law_of(int kind) {
  fanfill::Law law;
  law.kind = static_cast<fanfill::LawKind>(kind);
  law.std = 0.02;
  law.low = -1.0;
  law.high = 1.0;
  return law;
}

struct Job {
  explicit Job(char* memory, std::size_t bytes, int kind) : run{0, bytes / 4}, axis{bytes / 4, 4, &run, 1} {
    job.data = memory;
    job.law = law_of(kind);
    job.stream = 1;
    job.axes = &axis;
    job.rank = 1;
  }
  Job(const Job&) = delete;
  fanfill::Run run;
  fanfill::Axis axis;
  fanfill::Job job;
};

double seconds(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

class Writer {
 public:
  Writer(char* memory, int kind) : memory_(memory) {
    fanfill::find_kernel_table(nullptr, &table_);
    fanfill::plan_law(law_of(kind), fanfill::DType::kFloat32, &plan_);
  }

  void write(std::size_t begin, std::size_t end, fanfill::StorePolicy store) const {
    for (std::size_t at = begin; at < end; at += kStep) {
      const std::size_t bytes = std::min(kStep, end - at);
      table_->fill_row(plan_, {7, 1, at / 4, bytes / 4, memory_ + at, 4, store});
    }
    table_->fence();
  }

 private:
  char* memory_;
  const fanfill::KernelTable* table_ = nullptr;
  fanfill::LawPlan plan_;
};

void populate(char* memory, std::size_t bytes) { static_cast<void>(madvise(memory, bytes, kPopulateWrite)); }

void touch(char* memory) { *static_cast<volatile char*>(memory) = 0; }

bool fill_as_shipped(char* memory, std::size_t bytes, int kind, int threads) {
  const Job made(memory, bytes, kind);
  fanfill::Options options;
  options.threads = threads;
  return fanfill::fill(made.job, options) == fanfill::Status::kOk;
}

bool go(char* memory, std::size_t bytes, int way, std::size_t chunk, int kind, int threads) {
  const Writer writer(memory, kind);
  const auto ordinary = fanfill::StorePolicy::kOrdinary;
  switch (way) {
    case kMemset:
      std::memset(memory, 0, bytes);
      __asm__ volatile("" : : "r"(memory) : "memory");
      return true;
    case kOrdinary:
      writer.write(0, bytes, ordinary);
      return true;
    case kStreaming:
      writer.write(0, bytes, fanfill::StorePolicy::kStreaming);
      return true;
    case kPopulateAll:
      populate(memory, bytes);
      writer.write(0, bytes, ordinary);
      return true;
    case kPopulateOnly:
      populate(memory, bytes);
      return true;
    case kPopulateChunks:
    case kHugeFirst:
    case kHugeLast:
      for (std::size_t at = 0; at < bytes; at += chunk) {
        const std::size_t end = std::min(at + chunk, bytes);
        if (way == kPopulateChunks) populate(memory + at, end - at);
        if (way == kHugeFirst) touch(memory + at);
        if (way == kHugeLast) touch(memory + end - 1);
        writer.write(at, end, ordinary);
      }
      return true;
    default:
      return fill_as_shipped(memory, bytes, kind, threads);
  }
}

// New memory that begins at a huge page. `pages`: 4 KiB, huge, or whatever the system gives unasked.
class NewMemory {
 public:
  NewMemory(std::size_t bytes, int pages) : whole_(bytes + kHugePage) {
    void* mapped = mmap(nullptr, whole_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapped == MAP_FAILED) return;
    base_ = static_cast<char*>(mapped);
    if (pages < 2) static_cast<void>(madvise(base_, whole_, pages == 1 ? MADV_HUGEPAGE : MADV_NOHUGEPAGE));
    const auto address = reinterpret_cast<std::uintptr_t>(base_);
    begin_ = base_ + (kHugePage - address % kHugePage) % kHugePage;
  }
  ~NewMemory() {
    if (base_ != nullptr) munmap(base_, whole_);
  }
  NewMemory(const NewMemory&) = delete;
  char* begin() const { return begin_; }

 private:
  std::size_t whole_;
  char* base_ = nullptr;
  char* begin_ = nullptr;
};

}  // namespace

extern "C" {

// Seconds of the calling thread's CPU time, and of wall time in `wall`; negative if anything failed.
// `is_warm`: the memory was written before.
double bench_pages_fill(std::size_t bytes, int pages, int is_warm, int way, std::size_t chunk, int kind,
                        int threads, double* wall) {
  const NewMemory memory(bytes, pages);
  if (memory.begin() == nullptr) return -1.0;
  if (is_warm != 0) std::memset(memory.begin(), 1, bytes);
  const double wall_begin = seconds(CLOCK_MONOTONIC);
  const double begin = seconds(CLOCK_THREAD_CPUTIME_ID);
  const bool is_done = go(memory.begin(), bytes, way, chunk, kind, threads);
  const double took = seconds(CLOCK_THREAD_CPUTIME_ID) - begin;
  *wall = seconds(CLOCK_MONOTONIC) - wall_begin;
  return is_done ? took : -1.0;
}

// Wall seconds of `repeat` fills of old memory.
double bench_pages_threads(char* memory, std::size_t bytes, int kind, int threads, int repeat) {
  const double begin = seconds(CLOCK_MONOTONIC);
  for (int i = 0; i < repeat; ++i) fill_as_shipped(memory, bytes, kind, threads);
  return (seconds(CLOCK_MONOTONIC) - begin) / repeat;
}

// The same as it would be without starting, sharing and waiting: so many threads, there already, each fill a
// part of their own on one thread, and the slowest counts. What the machine itself grants.
double bench_pages_ceiling(char* memory, std::size_t bytes, int kind, int threads, int repeat) {
  std::atomic<int> waiting{0};
  std::atomic<bool> is_on{false};
  const std::size_t part = bytes / static_cast<std::size_t>(threads) / 64 * 64;
  const auto work = [&](int number) {
    ++waiting;
    while (!is_on.load()) {
    }
    for (int i = 0; i < repeat; ++i) {
      fill_as_shipped(memory + static_cast<std::size_t>(number) * part, part, kind, 1);
    }
  };
  std::thread others[64];
  for (int i = 1; i < threads; ++i) others[i] = std::thread(work, i);
  while (waiting.load() < threads - 1) {
  }
  const double begin = seconds(CLOCK_MONOTONIC);
  is_on = true;
  work(0);
  for (int i = 1; i < threads; ++i) others[i].join();
  return (seconds(CLOCK_MONOTONIC) - begin) / repeat;
}

// Seconds of CPU time of one fill of a matrix's part: `rows` rows of `width` values whose first elements lie
// `row_step` bytes apart and their neighbours `step` bytes, out of a tensor of `columns` columns.
double bench_pages_region(char* memory, std::uint64_t rows, std::uint64_t width, std::int64_t row_step,
                          std::int64_t step, std::uint64_t columns, int kind) {
  const std::uint64_t first = columns == width ? 0 : 1;
  const fanfill::Run runs[] = {{0, rows}, {first, width}};
  const fanfill::Axis axes[] = {{rows, row_step, &runs[0], 1}, {columns, step, &runs[1], 1}};
  fanfill::Job job;
  job.data = memory;
  job.law = law_of(kind);
  job.axes = axes;
  job.rank = 2;
  const double begin = seconds(CLOCK_THREAD_CPUTIME_ID);
  const bool is_done = fanfill::fill(job, fanfill::Options{}) == fanfill::Status::kOk;
  const double took = seconds(CLOCK_THREAD_CPUTIME_ID) - begin;
  return is_done ? took : -1.0;
}

// Seconds of CPU time of storing as many values by a plain loop: what the memory itself takes.
double bench_pages_stores(char* memory, std::uint64_t rows, std::uint64_t width, std::int64_t row_step,
                          std::int64_t step) {
  const double begin = seconds(CLOCK_THREAD_CPUTIME_ID);
  for (std::uint64_t row = 0; row < rows; ++row) {
    char* out = memory + static_cast<std::int64_t>(row) * row_step;
    for (std::uint64_t i = 0; i < width; ++i, out += step) {
      const float value = static_cast<float>(i);
      std::memcpy(out, &value, sizeof value);
      __asm__ volatile("" : : "r"(out) : "memory");
    }
  }
  return seconds(CLOCK_THREAD_CPUTIME_ID) - begin;
}

}  // extern "C"
