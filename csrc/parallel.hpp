// Shares a range of positions out among threads that work for one call, the calling thread among them.
// It must not know numbers, tensors or kernels, nor why it is asked to stop.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace fanfill {

// Asks a question of the calling thread's, but only so often that asking may cost something.
class Interrupt {
 public:
  // Well below the 50 ms promised, so that the range in progress may take its time.
  static constexpr std::chrono::milliseconds kPeriod{10};

  // `ask` may be null: then nothing interrupts.
  Interrupt(bool (*ask)(void* context), void* context) noexcept;
  // True once `ask` said so. Call it from the calling thread only.
  bool requested() noexcept;

 private:
  bool (*ask_)(void* context);
  void* context_;
  std::chrono::steady_clock::time_point asked_;
  bool requested_ = false;
};

struct Range {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

struct RangeShare;  // what the threads of one call have in common

// Where one thread gets its ranges from: those of its own part in ascending order, then what is left of the
// parts of others.
class RangeSource {
 public:
  RangeSource(RangeShare* share, std::size_t part, Interrupt* interrupt) noexcept
      : share_(share), part_(part), interrupt_(interrupt) {}
  bool next(Range* range) noexcept;  // false when there is no more to do

 private:
  RangeShare* share_;
  std::size_t part_;
  std::size_t finished_ = 0;  // parts, one after the other
  Interrupt* interrupt_;      // null off the calling thread
};

// Runs `work` once on each of at most `threads` threads, until the ranges of `grain` positions that make up
// 0 .. count are used up. A thread that can't be had is done without, and so is one that has not begun when
// the others have finished: on a busy machine it would be waited for longer than the work takes. Answers
// false where `interrupt` stopped it.
//
// Each thread begins with a part of its own: where two write side by side, memory is slower. It claims the
// part's ranges one by one from a counter, and then those of the others' parts: the cost of a position
// differs by an order of magnitude between a contiguous row and a strided one, and a thread may lose its
// core, so no cut made beforehand is even.
bool parallel_for(std::uint64_t count, std::uint64_t grain, int threads, Interrupt* interrupt,
                  void (*work)(void* context, RangeSource& source), void* context) noexcept;

}  // namespace fanfill
