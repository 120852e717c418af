// Shares a range of positions out among threads that work for one call, the calling thread among them.
// It must not know numbers, tensors or kernels, nor why it is asked to stop.
#include "parallel.hpp"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <exception>
#include <memory>
#include <mutex>
#include <new>
#include <thread>
#include <vector>

#if defined(__unix__) || defined(__APPLE__)
#include <pthread.h>
#endif
#if defined(__linux__)
#include <sched.h>
#endif

namespace fanfill {

// What one thread begins with, on a cache line of its own.
struct alignas(64) RangePart {
  std::atomic<std::uint64_t> claimed{0};
  std::uint64_t end = 0;
};

struct RangeShare {
  // Every thread's part is of whole ranges.
  RangeShare(std::uint64_t count, std::uint64_t range_size, std::size_t threads)
      : grain(range_size), beside(threads - 1), has_begun(threads - 1, false) {
    const std::uint64_t ranges = count / grain + (count % grain != 0 ? 1 : 0);
    const std::uint64_t each = ranges / threads, more = ranges % threads;
    std::uint64_t begin = 0;
    for (std::size_t i = 0; i < threads; ++i) {
      part(i).claimed = begin;
      const std::uint64_t size = each + (i < more ? 1 : 0);
      begin = count - begin < size * grain ? count : begin + size * grain;
      part(i).end = begin;
    }
  }
  RangePart& part(std::size_t i) noexcept { return i == 0 ? own : beside[i - 1]; }
  std::size_t parts() const noexcept { return beside.size() + 1; }

  const std::uint64_t grain;
  RangePart own;  // the calling thread's
  std::vector<RangePart> beside;
  std::atomic<bool> stop{false};
  std::mutex mutex;
  // Guarded by `mutex`:
  std::condition_variable all_done;
  std::uint64_t running = 0;    // threads besides the calling one that work
  std::vector<bool> has_begun;  // of each of them
  bool is_closed = false;       // who begins now has nothing to do, and must not look at what it was for
};

namespace {

struct Work {
  void (*run)(void* context, RangeSource& source);
  void* context;
};

// On a busy machine a thread that was started may get a core only when all is done. Then nobody waits for it:
// it finds its share closed, and ends. Only so many may be under way to that end, whoever started them.
constexpr std::uint64_t kMaxLate = 64;
std::atomic<std::uint64_t> g_late{0};

// A forked process has none of its parent's threads.
bool forgets_at_fork() noexcept {
#if defined(__unix__) || defined(__APPLE__)
  static const bool is_told = pthread_atfork(nullptr, nullptr, [] { g_late = 0; }) == 0;
  return is_told;
#else
  return true;
#endif
}

bool begins(RangeShare* share, std::size_t number) noexcept {
  const std::lock_guard<std::mutex> lock(share->mutex);
  if (share->is_closed) return false;
  share->has_begun[number] = true;
  ++share->running;
  return true;
}

void run_beside(const std::shared_ptr<RangeShare>& share, std::size_t number, Work work) noexcept {
  if (!begins(share.get(), number)) {
    --g_late;
    return;
  }
  RangeSource source(share.get(), number + 1, nullptr);
  work.run(work.context, source);
  const std::lock_guard<std::mutex> lock(share->mutex);
  if (--share->running == 0) share->all_done.notify_one();
}

// The CPUs for a new thread: those of the calling one but for that which it runs on, where a scheduler that
// fills one CPU before it takes the next would let the new one wait, for milliseconds, until that is free.
class OtherCpus {
 public:
#if defined(__linux__)
  OtherCpus() noexcept {
    const int own = sched_getcpu();
    is_known_ = own >= 0 && own < CPU_SETSIZE && sched_getaffinity(0, sizeof cpus_, &cpus_) == 0;
    if (is_known_) CPU_CLR(own, &cpus_);
    is_known_ = is_known_ && CPU_COUNT(&cpus_) > 0;
  }
  // A refusal is ignored: the thread is only later then.
  void take(std::thread* thread) const noexcept {
    if (is_known_) pthread_setaffinity_np(thread->native_handle(), sizeof cpus_, &cpus_);
  }

 private:
  bool is_known_ = false;
  cpu_set_t cpus_;
#else
  void take(std::thread*) const noexcept {}
#endif
};

// How many threads were started. They may be fewer than asked for: a limit of processes or of memory is no
// reason to fail, since the calling thread alone can do everything.
std::size_t start_threads(std::vector<std::thread>* threads, const std::shared_ptr<RangeShare>& share,
                          Work work) noexcept {
  const OtherCpus others;
  for (std::size_t i = 0; i < threads->size(); ++i) {
    try {
      (*threads)[i] = std::thread(run_beside, share, i, work);
      others.take(&(*threads)[i]);
    } catch (const std::exception&) {  // system_error, or bad_alloc for the thread's own state
      return i;
    }
  }
  return threads->size();
}

// Until no other thread works; those that have not begun never will.
void wait_for_threads(RangeShare* share, std::size_t started, Interrupt* interrupt) noexcept {
  std::unique_lock<std::mutex> lock(share->mutex);
  share->is_closed = true;
  g_late +=
      started - static_cast<std::size_t>(std::count(share->has_begun.begin(), share->has_begun.end(), true));
  while (!share->all_done.wait_for(lock, Interrupt::kPeriod, [share] { return share->running == 0; })) {
    lock.unlock();
    if (interrupt->requested()) share->stop.store(true, std::memory_order_relaxed);
    lock.lock();
  }
}

// Who has worked is at its end, and gone when this returns.
void part_with(std::vector<std::thread>* threads, std::size_t started, const RangeShare& share) noexcept {
  for (std::size_t i = 0; i < started; ++i) {
    if (share.has_begun[i]) {
      (*threads)[i].join();
    } else {
      (*threads)[i].detach();
    }
  }
}

bool share_out(std::uint64_t count, std::uint64_t grain, std::size_t beside, Interrupt* interrupt,
               Work work) {
  std::vector<std::thread> threads(beside);
  // Held by the threads too: a late one outlives the call.
  const auto share = std::make_shared<RangeShare>(count, grain, beside + 1);
  const std::size_t started = start_threads(&threads, share, work);
  RangeSource source(share.get(), 0, interrupt);
  work.run(work.context, source);
  wait_for_threads(share.get(), started, interrupt);
  part_with(&threads, started, *share);
  return !share->stop.load(std::memory_order_relaxed);
}

}  // namespace

Interrupt::Interrupt(bool (*ask)(void* context), void* context) noexcept
    : ask_(ask), context_(context), asked_(std::chrono::steady_clock::now()) {}

bool Interrupt::requested() noexcept {
  if (requested_ || ask_ == nullptr) return requested_;
  const auto now = std::chrono::steady_clock::now();
  if (now - asked_ < kPeriod) return false;
  requested_ = ask_(context_);
  asked_ = std::chrono::steady_clock::now();  // the answer itself may have taken long
  return requested_;
}

bool RangeSource::next(Range* range) noexcept {
  if (interrupt_ != nullptr && interrupt_->requested()) share_->stop.store(true, std::memory_order_relaxed);
  if (share_->stop.load(std::memory_order_relaxed)) return false;
  for (; finished_ < share_->parts(); ++finished_) {
    RangePart& part = share_->part((part_ + finished_) % share_->parts());
    // The order of other memory does not matter here: threads see each other's work through the mutex alone.
    const std::uint64_t begin = part.claimed.fetch_add(share_->grain, std::memory_order_relaxed);
    if (begin >= part.end) continue;
    range->begin = begin;
    range->end = part.end - begin < share_->grain ? part.end : begin + share_->grain;
    return true;
  }
  return false;
}

bool parallel_for(std::uint64_t count, std::uint64_t grain, int threads, Interrupt* interrupt,
                  void (*work)(void* context, RangeSource& source), void* context) noexcept {
  const std::uint64_t ranges = count / grain + (count % grain != 0 ? 1 : 0);
  const auto limit = static_cast<std::uint64_t>(threads < 1 ? 1 : threads);
  const std::uint64_t wanted = ranges < limit ? ranges : limit;
  if (wanted > 1 && g_late < kMaxLate && forgets_at_fork()) {
    try {
      return share_out(count, grain, wanted - 1, interrupt, Work{work, context});
    } catch (
        const std::bad_alloc&) {  // before anything was begun: the calling thread does without the others
    }
  }
  RangeShare share(count, grain, 1);
  RangeSource source(&share, 0, interrupt);
  work(context, source);
  return !share.stop.load(std::memory_order_relaxed);
}

}  // namespace fanfill
