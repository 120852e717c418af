// parallel_for: every position once, fewer threads where none can be had, and an answer to interruption in
// time. It must not know regions, jobs or kernels.
#include <dlfcn.h>
#include <pthread.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <new>
#include <thread>
#include <vector>

#include "check.hpp"
#include "parallel.hpp"

namespace {

std::atomic<int> g_threads_allowed{1 << 30};
std::atomic<bool> g_memory_refused{false};
// Threads that are started and get no core: they begin when they may.
std::atomic<bool> g_is_held{false};
std::atomic<bool> g_may_begin{false};
std::atomic<int> g_held{0};

}  // namespace

// The program's own definitions come before libc's and the C++ library's, if only they are visible to these:
// so the refusals of a system under pressure can be had at will.
namespace {

struct HeldStart {
  void* (*start)(void*);
  void* argument;
};

void* start_held(void* held) {
  HeldStart* const own = static_cast<HeldStart*>(held);
  while (!g_may_begin) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  void* const result = own->start(own->argument);
  std::free(own);
  --g_held;
  return result;
}

}  // namespace

extern "C" __attribute__((visibility("default"))) int pthread_create(pthread_t* thread,
                                                                     const pthread_attr_t* attributes,
                                                                     void* (*start)(void*), void* argument) {
  if (g_threads_allowed.fetch_sub(1) <= 0) return EAGAIN;
  using Create = int (*)(pthread_t*, const pthread_attr_t*, void* (*)(void*), void*);
  static const auto create = reinterpret_cast<Create>(dlsym(RTLD_NEXT, "pthread_create"));
  if (!g_is_held) return create(thread, attributes, start, argument);
  HeldStart* const held = static_cast<HeldStart*>(std::malloc(sizeof(HeldStart)));
  CHECK(held != nullptr);
  *held = {start, argument};
  ++g_held;
  return create(thread, attributes, start_held, held);
}

void* operator new(std::size_t size) {
  void* memory = g_memory_refused.load() ? nullptr : std::malloc(size);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace {

using fanfill::Interrupt;
using fanfill::Range;
using fanfill::RangeSource;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

struct Visits {
  explicit Visits(std::size_t count) : of(count) {}
  std::vector<std::atomic<int>> of;
  std::atomic<int> workers{0};
  std::atomic<int> begun{0};
  int expected = 1;
  std::uint64_t grain = 0;
};

void visit(void* context, RangeSource& source) {
  auto& visits = *static_cast<Visits*>(context);
  ++visits.workers;
  Range range;
  std::uint64_t last_end = 0;
  int descents = 0;  // from its own part it goes up to the last one's end, and then to the first part
  while (source.next(&range)) {
    CHECK(range.begin < range.end && range.begin % visits.grain == 0);
    if (range.begin < last_end) CHECK(++descents == 1);
    last_end = range.end;
    for (std::uint64_t i = range.begin; i < range.end; ++i) ++visits.of[i];
  }
}

// Begins once so many threads are there, or after a while: on a busy machine 64 threads may be late already,
// and then there are no others.
void visit_together(void* context, RangeSource& source) {
  auto& visits = *static_cast<Visits*>(context);
  const auto end = steady_clock::now() + milliseconds(500);
  ++visits.begun;
  while (visits.begun < visits.expected && steady_clock::now() < end) std::this_thread::yield();
  visit(context, source);
}

// How many threads took part, of which `expected` are waited for.
int check_every_position_once(std::uint64_t count, std::uint64_t grain, int threads, int expected = 1) {
  Visits visits(count);
  visits.grain = grain;
  visits.expected = expected;
  Interrupt interrupt(nullptr, nullptr);
  CHECK(fanfill::parallel_for(count, grain, threads, &interrupt, visit_together, &visits));
  for (const auto& times : visits.of) CHECK(times == 1);
  return visits.workers;
}

// Whether as many as expected take part, and never more, whatever else the machine does.
template <class Prepare>
bool so_many_take_part(std::uint64_t count, std::uint64_t grain, int threads, int expected, Prepare prepare) {
  for (int i = 0; i < 100; ++i) {
    prepare();
    const int workers = check_every_position_once(count, grain, threads, expected);
    CHECK(workers <= expected);
    if (workers == expected) return true;
    std::this_thread::sleep_for(milliseconds(10));
  }
  return false;
}

void every_position_once() {
  for (const int threads : {1, 2, 3, 8}) {
    for (const std::uint64_t count : {0u, 1u, 7u, 64u, 1000u, 4096u}) {
      for (const std::uint64_t grain : {1u, 64u, 1000u, 100000u}) {
        const int workers = check_every_position_once(count, grain, threads);
        const std::uint64_t ranges = (count + grain - 1) / grain;
        CHECK(workers == 1 || static_cast<std::uint64_t>(workers) <= ranges);
        CHECK(workers <= threads);
      }
    }
  }
  CHECK(so_many_take_part(1000, 1, 5, 5, [] {}));
}

void threads_that_cannot_be_had_are_done_without() {
  for (const int allowed : {0, 1, 3}) {
    CHECK(so_many_take_part(10000, 10, 8, allowed + 1, [allowed] { g_threads_allowed = allowed; }));
  }
  g_threads_allowed = 1 << 30;
}

void claim(void* context, RangeSource& source) {
  Range range;
  while (source.next(&range)) *static_cast<std::atomic<std::uint64_t>*>(context) += range.end - range.begin;
}

void memory_that_cannot_be_had_is_done_without() {
  std::atomic<std::uint64_t> done{0};
  Interrupt interrupt(nullptr, nullptr);
  g_memory_refused = true;
  const bool is_done = fanfill::parallel_for(10000, 10, 8, &interrupt, claim, &done);
  g_memory_refused = false;
  CHECK(is_done && done == 10000);
}

void positions_reach_the_greatest_count() {
  std::atomic<std::uint64_t> done{0};
  Interrupt interrupt(nullptr, nullptr);
  const std::uint64_t count = (std::uint64_t{1} << 62) - 1;
  CHECK(fanfill::parallel_for(count, std::uint64_t{1} << 58, 4, &interrupt, claim, &done));
  CHECK(done == count);
}

struct Question {
  std::thread::id caller = std::this_thread::get_id();
  int times_until_yes = 1;
  int asked = 0;
  steady_clock::time_point last = steady_clock::now();
  milliseconds longest{0};
};

bool ask(void* context) {
  auto& question = *static_cast<Question*>(context);
  CHECK(std::this_thread::get_id() == question.caller);
  const auto now = steady_clock::now();
  question.longest =
      std::max(question.longest, std::chrono::duration_cast<milliseconds>(now - question.last));
  question.last = now;
  return ++question.asked >= question.times_until_yes;
}

void nap(void*, RangeSource& source) {
  Range range;
  while (source.next(&range)) std::this_thread::sleep_for(milliseconds(2));
}

void an_interrupt_stops_every_thread_soon() {
  for (const int threads : {1, 4}) {
    Question question;
    question.times_until_yes = 3;
    Interrupt interrupt(ask, &question);
    const auto begin = steady_clock::now();
    CHECK(!fanfill::parallel_for(1u << 30, 1, threads, &interrupt, nap, nullptr));
    CHECK(steady_clock::now() - begin < milliseconds(1000));
    CHECK(question.asked == 3);  // not asked again once it said yes
  }
}

struct Waiting {
  std::thread::id caller = std::this_thread::get_id();
  std::atomic<bool> is_other_busy{false};
  Question* question = nullptr;
};

// The calling thread has nothing left to do while another is busy for long.
void caller_waits(void* context, RangeSource& source) {
  auto& waiting = *static_cast<Waiting*>(context);
  Range range;
  if (std::this_thread::get_id() == waiting.caller) {
    for (int i = 0; i < 500 && !waiting.is_other_busy; ++i) std::this_thread::sleep_for(milliseconds(1));
    waiting.question->last = steady_clock::now();
    while (source.next(&range)) std::this_thread::sleep_for(milliseconds(1));
    return;
  }
  waiting.is_other_busy = true;
  source.next(&range);
  std::this_thread::sleep_for(milliseconds(300));
}

void the_question_is_asked_while_waiting() {
  for (int i = 0; i < 100; ++i) {
    Waiting waiting;
    Question question;
    question.times_until_yes = 1 << 30;
    waiting.question = &question;
    Interrupt interrupt(ask, &question);
    CHECK(fanfill::parallel_for(4, 1, 2, &interrupt, caller_waits, &waiting));
    if (!waiting.is_other_busy) continue;  // too many late threads for another
    CHECK(question.asked >= 5);
    CHECK(question.longest < milliseconds(150));  // 10 expected; the rest is a busy machine's
    return;
  }
  CHECK(false);
}

#if !defined(__SANITIZE_ADDRESS__)
void a_forked_process_has_none_of_them() {
  const pid_t child = fork();
  if (child == 0) {  // so it starts its own
    g_is_held = false;
    _exit(so_many_take_part(100, 1, 2, 2, [] {}) ? 0 : 1);
  }
  int status = -1;
  CHECK(waitpid(child, &status, 0) == child && status == 0);
}
#endif

void late_threads_are_not_waited_for() {
  g_is_held = true;
  for (int i = 0; i < 100; ++i) {
    std::atomic<std::uint64_t> done{0};
    Interrupt interrupt(nullptr, nullptr);
    CHECK(fanfill::parallel_for(1000, 10, 3, &interrupt, claim, &done));
    CHECK(done == 1000);
  }
  // Not without end: where so many are late, no more are started.
  const int late = g_held;
  CHECK(late >= 64 && late < 64 + 2);
#if !defined(__SANITIZE_ADDRESS__)  // whose allocator can't be forked while other threads use it
  if (!fanfill_test::is_emulated()) a_forked_process_has_none_of_them();
#endif
  g_is_held = false;
  g_may_begin = true;
  for (int i = 0; g_held > 0 && i < 5000; ++i) std::this_thread::sleep_for(milliseconds(1));
  CHECK(g_held == 0);
  for (int i = 0; i < 5000; ++i) {  // the last of them may be at its end yet
    if (check_every_position_once(1000, 1, 3, 2) > 1) return;
    std::this_thread::sleep_for(milliseconds(1));
  }
  CHECK(false);
}

#if defined(__linux__)
int cpus_allowed() {
  cpu_set_t cpus;
  CHECK(sched_getaffinity(0, sizeof cpus, &cpus) == 0);
  return CPU_COUNT(&cpus);
}

struct Allowed {
  std::thread::id caller = std::this_thread::get_id();
  int callers = cpus_allowed();
  std::atomic<bool> is_fewer{false};
};

void compare_cpus(void* context, RangeSource& source) {
  auto& allowed = *static_cast<Allowed*>(context);
  const bool is_caller = std::this_thread::get_id() == allowed.caller;
  for (int i = 0; i < 500 && !allowed.is_fewer; ++i) {
    if (!is_caller && cpus_allowed() == allowed.callers - 1) allowed.is_fewer = true;
    std::this_thread::sleep_for(milliseconds(1));
  }
  Range range;
  while (source.next(&range)) continue;
}

void others_leave_the_callers_cpu_alone() {
  if (cpus_allowed() == 1 || fanfill_test::is_emulated()) return;
  Allowed allowed;
  Interrupt interrupt(nullptr, nullptr);
  for (int i = 0; i < 100 && !allowed.is_fewer; ++i)  // there may be too many late threads for another
    CHECK(fanfill::parallel_for(2, 1, 2, &interrupt, compare_cpus, &allowed));
  CHECK(allowed.is_fewer);
  CHECK(cpus_allowed() == allowed.callers);
}
#endif

void without_need_nothing_is_asked() {
  Question question;
  Interrupt interrupt(ask, &question);
  CHECK(!interrupt.requested());
  std::atomic<std::uint64_t> done{0};
  CHECK(fanfill::parallel_for(100, 10, 1, &interrupt, claim, &done));
  CHECK(question.asked == 0);
}

}  // namespace

int main() {
  every_position_once();
  threads_that_cannot_be_had_are_done_without();
  memory_that_cannot_be_had_is_done_without();
  positions_reach_the_greatest_count();
  an_interrupt_stops_every_thread_soon();
  the_question_is_asked_while_waiting();
  late_threads_are_not_waited_for();
#if defined(__linux__)
  others_leave_the_callers_cpu_alone();
#endif
  without_need_nothing_is_asked();
  return 0;
}
