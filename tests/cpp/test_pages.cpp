// Whose memory it is, and which pages a fill has made ahead: those of private anonymous memory alone.
// It must not know laws or values.
#include <dlfcn.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <string>
#include <vector>

#include "check.hpp"
#include "fanfill/fanfill.hpp"
#include "mapping.hpp"
#include "pages.hpp"

namespace {

struct Advice {
  std::uintptr_t begin;
  std::uintptr_t end;
  int advice;
};

std::mutex g_mutex;
std::vector<Advice> g_advices;

}  // namespace

// The program's own definition comes before libc's, if only it is visible to it: so all that is advised is
// seen.
extern "C" __attribute__((visibility("default"))) int madvise(void* memory, std::size_t bytes, int advice) {
  const auto begin = reinterpret_cast<std::uintptr_t>(memory);
  {
    const std::lock_guard<std::mutex> lock(g_mutex);
    g_advices.push_back({begin, begin + bytes, advice});
  }
  using Advise = int (*)(void*, std::size_t, int);
  static const auto advise = reinterpret_cast<Advise>(dlsym(RTLD_NEXT, "madvise"));
  return advise(memory, bytes, advice);
}

namespace {

using fanfill::AskingCost;
using fanfill::is_private_anonymous;
using fanfill::kHugePageBytes;
using fanfill::Status;

constexpr int kPopulateWrite = 23;
constexpr std::size_t kMiB = std::size_t{1} << 20;
constexpr std::size_t kBytes = 64 * kMiB;

char* mapped(int flags, int file = -1, int protection = PROT_READ | PROT_WRITE, std::size_t bytes = kBytes) {
  void* memory = mmap(nullptr, bytes, protection, flags, file, 0);
  CHECK(memory != MAP_FAILED);
  return static_cast<char*>(memory);
}

int unnamed_file(std::size_t bytes) {
  char name[] = "/tmp/fanfill_pages_XXXXXX";
  const int file = mkstemp(name);
  CHECK(file >= 0 && unlink(name) == 0 && ftruncate(file, static_cast<off_t>(bytes)) == 0);
  return file;
}

// The same list of mappings in a file, which can only be read.
std::string copied_maps() {
  char name[] = "/tmp/fanfill_maps_XXXXXX";
  const int copy = mkstemp(name);
  CHECK(copy >= 0);
  std::FILE* maps = std::fopen("/proc/self/maps", "r");
  CHECK(maps != nullptr);
  char buffer[4096];
  for (std::size_t got = 0; (got = std::fread(buffer, 1, sizeof buffer, maps)) > 0;) {
    CHECK(write(copy, buffer, got) == static_cast<ssize_t>(got));
  }
  std::fclose(maps);
  close(copy);
  return name;
}

// What both ways of asking answer, which must be one answer.
bool is_ours(const char* memory, std::size_t bytes) {
  const bool answer = is_private_anonymous(memory, bytes, AskingCost::kHigh);
  const std::string copy = copied_maps();
  CHECK(is_private_anonymous(memory, bytes, AskingCost::kHigh, copy.c_str()) == answer);
  CHECK(!is_private_anonymous(memory, bytes, AskingCost::kLow, copy.c_str()));  // a list is dear
  std::remove(copy.c_str());
  return answer;
}

void only_private_anonymous_memory_is_ours() {
  char* const ours = mapped(MAP_PRIVATE | MAP_ANONYMOUS);
  CHECK(is_ours(ours, kBytes) && is_ours(ours + 5, 1) && is_ours(ours + kMiB - 3, 7 * kMiB));
  CHECK(!is_ours(ours, 0));
  CHECK(madvise(ours + kMiB, kMiB, MADV_HUGEPAGE) == 0 || errno == EINVAL);  // splits the mapping
  CHECK(is_ours(ours, kBytes));
  CHECK(mprotect(ours + 2 * kMiB, kMiB, PROT_READ) == 0);
  CHECK(is_ours(ours, 2 * kMiB) && !is_ours(ours, 2 * kMiB + 1) && !is_ours(ours + 2 * kMiB, kMiB));
  CHECK(munmap(ours + 8 * kMiB, kMiB) == 0);
  CHECK(is_ours(ours + 3 * kMiB, 5 * kMiB) && !is_ours(ours + 3 * kMiB, 6 * kMiB));
  const int file = unnamed_file(kBytes);
  CHECK(mmap(ours + 8 * kMiB, kMiB, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, file, 0) != MAP_FAILED);
  CHECK(!is_ours(ours + 3 * kMiB, 6 * kMiB) && is_ours(ours + 9 * kMiB, kMiB));
  CHECK(munmap(ours, kBytes) == 0);
  for (const int flags : {MAP_PRIVATE, MAP_SHARED}) {
    char* const of_file = mapped(flags, file);
    CHECK(!is_ours(of_file, kMiB));
    CHECK(munmap(of_file, kBytes) == 0);
  }
  char* const shared = mapped(MAP_SHARED | MAP_ANONYMOUS);
  CHECK(!is_ours(shared, kMiB));
  CHECK(munmap(shared, kBytes) == 0);
  close(file);
  CHECK(!is_private_anonymous(ours, 1, AskingCost::kHigh, "/nowhere/maps"));
}

// Everything that a fill of this memory has advised.
std::vector<Advice> advised(char* memory, std::size_t bytes, int threads) {
  fanfill::Run run{0, bytes / 4};
  fanfill::Axis axis{bytes / 4, 4, &run, 1};
  fanfill::Job job;
  job.data = memory;
  job.law.kind = fanfill::LawKind::kUniform;
  job.law.high = 1.0;
  job.axes = &axis;
  job.rank = 1;
  fanfill::Options options;
  options.threads = threads;
  {
    const std::lock_guard<std::mutex> lock(g_mutex);
    g_advices.clear();
  }
  CHECK(fanfill::fill(job, options) == Status::kOk);
  std::vector<Advice> found;
  for (const Advice& advice : g_advices) {  // a thread's end advises its own stack
    const auto begin = reinterpret_cast<std::uintptr_t>(memory) / 4096 * 4096;
    if (advice.begin < begin + bytes + 4096 && advice.end > begin) found.push_back(advice);
  }
  return found;
}

void a_fill_makes_pages_of_its_own_memory_alone() {
  for (const int threads : {1, 3}) {
    char* const ours = mapped(MAP_PRIVATE | MAP_ANONYMOUS);
    char* const begin = ours + kMiB + 12;  // in the midst of a page
    const std::size_t bytes = kBytes / 2;
    const auto first = reinterpret_cast<std::uintptr_t>(begin);
    const std::vector<Advice> made = advised(begin, bytes, threads);
    CHECK(!made.empty());
    for (const Advice& advice : made) {
      CHECK(advice.advice == kPopulateWrite);
      CHECK(advice.begin >= first / 4096 * 4096 && advice.end <= first + bytes);
    }
    CHECK(advised(begin, bytes, threads).empty());  // they are there now
    unsigned char resident = 0;
    CHECK(mincore(ours + kBytes - 4096, 4096, &resident) == 0 && (resident & 1U) == 0);
    CHECK(munmap(ours, kBytes) == 0);
  }
}

void a_fill_advises_nothing_of_other_memory() {
  const int file = unnamed_file(kBytes);
  const struct {
    int flags;
    int file;
  } kinds[] = {{MAP_SHARED | MAP_ANONYMOUS, -1}, {MAP_PRIVATE, file}, {MAP_SHARED, file}};
  for (const auto& kind : kinds) {
    char* const others = mapped(kind.flags, kind.file);
    CHECK(advised(others, kBytes, 1).empty());
    CHECK(fanfill::make_pages(others, kBytes, fanfill::Options{}) == Status::kOk);
    CHECK(advised(others, kBytes, 2).empty());
    CHECK(munmap(others, kBytes) == 0);
  }
  close(file);
}

std::size_t resident_bytes(char* memory, std::size_t bytes) {
  std::vector<unsigned char> pages(bytes / 4096);
  CHECK(mincore(memory, bytes, pages.data()) == 0);
  std::size_t resident = 0;
  for (const unsigned char page : pages) resident += (page & 1U) * std::size_t{4096};
  return resident;
}

void make_pages_makes_all_and_changes_nothing() {
  for (const int threads : {1, 4}) {
    char* const memory = mapped(MAP_PRIVATE | MAP_ANONYMOUS);
    memory[3 * kMiB] = 7;
    fanfill::Options options;
    options.threads = threads;
    CHECK(fanfill::make_pages(memory + 4096, kBytes - 2 * 4096, options) == Status::kOk);
    CHECK(resident_bytes(memory + 4096, kBytes - 2 * 4096) == kBytes - 2 * 4096);
    CHECK(memory[3 * kMiB] == 7 && memory[kBytes / 2] == 0);
    CHECK(munmap(memory, kBytes) == 0);
  }
  fanfill::Options none;
  CHECK(fanfill::make_pages(nullptr, 0, none) == Status::kOk);
  CHECK(fanfill::make_pages(nullptr, 1, none) == Status::kNullData);
  none.threads = 0;
  CHECK(fanfill::make_pages(nullptr, 0, none) == Status::kBadArgument);
}

bool say_yes(void*) { return true; }

void make_pages_is_interrupted() {
  char* const memory = mapped(MAP_PRIVATE | MAP_ANONYMOUS, -1, PROT_READ | PROT_WRITE, 64 * kBytes);
  fanfill::Options options;
  options.interrupted = say_yes;
  CHECK(fanfill::make_pages(memory, 64 * kBytes, options) == Status::kInterrupted);
  CHECK(resident_bytes(memory, 64 * kBytes) < 64 * kBytes);
  CHECK(munmap(memory, 64 * kBytes) == 0);
}

void pages_are_made_in_the_order_of_the_writes(std::size_t offset) {
  char* const mapping =
      mapped(MAP_PRIVATE | MAP_ANONYMOUS, -1, PROT_READ | PROT_WRITE, kBytes + 2 * kHugePageBytes);
  CHECK(madvise(mapping, kBytes + 2 * kHugePageBytes, MADV_NOHUGEPAGE) == 0 || errno == EINVAL);
  const auto address = reinterpret_cast<std::uintptr_t>(mapping);
  char* const memory = mapping + (kHugePageBytes - address % kHugePageBytes) % kHugePageBytes + offset;
  std::size_t begin = 0;
  for (const std::size_t ahead : {std::size_t{0}, kMiB / 2, 4 * kMiB}) {
    fanfill::PageMaker maker(memory, kBytes, ahead);
    for (std::size_t at = begin; at < begin + kBytes / 4; at += kMiB / 4) {
      maker.make(memory + at, kMiB / 4);
      CHECK(resident_bytes(memory, at + kMiB / 4) == at + kMiB / 4);
      // No farther than asked for, but for the rest of a step and one page of the block of two.
      CHECK(resident_bytes(memory, kBytes) <= at + kMiB / 4 + ahead + 4096);
    }
    begin += kBytes / 4;
  }
  CHECK(munmap(mapping, kBytes + 2 * kHugePageBytes) == 0);
}

}  // namespace

int main() {
#ifdef __linux__
  only_private_anonymous_memory_is_ours();
  a_fill_advises_nothing_of_other_memory();
  if (fanfill_test::is_emulated()) return 0;  // pages are made by the emulator, when it likes
  make_pages_is_interrupted();
  a_fill_makes_pages_of_its_own_memory_alone();
  make_pages_makes_all_and_changes_nothing();
  // A block's last page in the middle of a piece says nothing of the rest.
  for (const std::size_t offset : {std::size_t{0}, kMiB / 8 - 4096}) {
    pages_are_made_in_the_order_of_the_writes(offset);
  }
#endif
  return 0;
}
