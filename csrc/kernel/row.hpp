// A row of consecutive elements: whole groups fused from counter to store, and the pieces at its ends.
// It must not know threads or regions; a value never depends on where a row begins or ends.
#pragma once

#include <cstddef>
#include <cstdint>

#include "draw.hpp"

namespace fanfill {
namespace {

template <class Element>
void scatter_elements(void* out, std::int64_t byte_stride, const Element* from, std::uint64_t count) {
  char* to = static_cast<char*>(out);
  for (std::uint64_t i = 0; i < count; ++i, to += byte_stride) *reinterpret_cast<Element*>(to) = from[i];
}

// The numbers of consecutive blocks, by as few stores as there can be, to any address.
FANFILL_INLINE void list_four(std::uint64_t first, std::uint64_t* blocks) {
  using Four = std::uint64_t __attribute__((vector_size(32)));
  const Four numbers = first + Four{0, 1, 2, 3};
  __builtin_memcpy(blocks, &numbers, sizeof numbers);
}
constexpr std::uint64_t kBlocksAtOnce = 8;
FANFILL_INLINE void list_eight(std::uint64_t first, std::uint64_t* blocks) {
  using Eight = std::uint64_t __attribute__((vector_size(64)));
  const Eight numbers = first + Eight{0, 1, 2, 3, 4, 5, 6, 7};
  __builtin_memcpy(blocks, &numbers, sizeof numbers);
}

FANFILL_INLINE void consecutive_blocks(std::uint64_t first, std::uint64_t count, std::uint64_t* blocks) {
  for (std::uint64_t i = 0; i < count; ++i) blocks[i] = first + i;
}

// Elements begin .. end of a row into memory of any stride, through a buffer of some groups. It opens a
// source of its own: one that was handed to a function behind a pointer would be no constant any more in the
// loop of the whole groups.
template <class Element>
__attribute__((noinline)) void fill_piece(const LawPlan& plan, const RowJob& job, std::uint64_t begin,
                                          std::uint64_t end) {
  if (begin >= end) return;
  constexpr std::uint64_t kGroups = 8;
  constexpr std::uint64_t kPerBlock = kElementsPerBlock<Element>;
  DrawnBlocks<Element, kGroups * kGroupBlocks> drawn;
  const DrawBlocks draw = draw_of(plan);
  WordSource source;
  open(source, job.seed, job.stream, begin / kPerBlock);
  alignas(64) std::uint64_t blocks[kGroups * kGroupBlocks];
  while (begin < end) {
    const std::uint64_t block = begin / kPerBlock, first = block * kPerBlock;
    const std::uint64_t groups = (end - first - 1) / (kGroupBlocks * kPerBlock) + 1;
    const std::uint64_t count = (groups < kGroups ? groups : kGroups) * kGroupBlocks;
    const std::uint64_t room = count * kPerBlock;
    const std::uint64_t stop = end - first < room ? end : first + room;
    consecutive_blocks(block, count, blocks);
    const bool is_shared = high_half(block) == source.upper && high_half(blocks[count - 1]) == source.upper;
    const Element* elements = drawn.draw(draw, plan, source, blocks, count, is_shared);
    scatter_elements(
        static_cast<char*>(job.out) + static_cast<std::int64_t>(begin - job.start) * job.byte_stride,
        job.byte_stride, elements + (begin - first), stop - begin);
    begin = stop;
  }
}

template <class Law, class Format>
class Row {
 public:
  using Element = typename Format::Element;

  FANFILL_INLINE Row(const LawPlan& plan, const RowJob& job) : plan_(plan), job_(job), law_(plan) {
    open(source_, job.seed, job.stream, job.start >> 2);
  }

  FANFILL_INLINE void fill() {
    if (job_.byte_stride != static_cast<std::int64_t>(sizeof(Element)))
      piece(job_.start, job_.start + job_.count);
    else
      contiguous();
  }

 private:
  FANFILL_INLINE void piece(std::uint64_t begin, std::uint64_t end) {
    fill_piece<Element>(plan_, job_, begin, end);
  }

  template <bool kStreaming>
  FANFILL_INLINE std::uint64_t whole_groups(std::uint64_t at, std::uint64_t end) {
    Element* out = static_cast<Element*>(job_.out) + (at - job_.start);
    while (end - at >= kGroupWords) {
      if (__builtin_expect(!covers(source_, at >> 2), 0)) {
        piece(at, at + kGroupWords);
        at += kGroupWords;
        out += kGroupWords;
        continue;
      }
      auto walk = walk_from(source_, at >> 2);
      std::uint64_t count = covered_groups(at >> 2, (end - at) / kGroupWords);
      for (; count > 0; --count, at += kGroupWords, out += kGroupWords) {
        Watch watch;
        F32 v[kGroupVectors];
        walk.next([&](int j, const U32* words) {
          put_batch<Law, Format, kStreaming>(law_, words, j, v, watch,
                                             [out](int word) { return out + word; });
        });
        if (Law::kWatches && __builtin_expect(seen(watch), 0)) mend(at, out);
      }
    }
    return at;
  }
  __attribute__((noinline)) void mend(std::uint64_t first, Element* out) {
    alignas(64) std::uint64_t blocks[kGroupBlocks];
    consecutive_blocks(first >> 2, kGroupBlocks, blocks);
    if constexpr (Law::kWatches)
      mend_group<Law>(plan_, source_, blocks, Format::kExact ? DType::kFloat32 : plan_.dtype, out);
  }

  FANFILL_INLINE void contiguous() {
    const std::uint64_t end = job_.start + job_.count;
    // Groups begin at whole blocks; where the address allows, at a cache line too.
    std::uint64_t at = (job_.start + 3) & ~std::uint64_t{3};
    std::uint64_t aligned = at;
    for (int i = 0; i < 16 && (address(aligned) & 63) != 0; ++i) aligned += 4;
    const bool on_line = (address(aligned) & 63) == 0;
    if (on_line) at = aligned;
    if (at >= end || end - at < kGroupWords) {
      piece(job_.start, end);
      return;
    }
    piece(job_.start, at);
    // One byte a value is less than any memory takes, so there is no second loop for it.
    constexpr bool kMayStream = kStreams && sizeof(Element) > 1;
    if (kMayStream && on_line && job_.store == StorePolicy::kStreaming)
      at = whole_groups<kMayStream>(at, end);
    else
      at = whole_groups<false>(at, end);
    piece(at, end);
  }
  FANFILL_INLINE std::uintptr_t address(std::uint64_t element) const {
    return reinterpret_cast<std::uintptr_t>(static_cast<Element*>(job_.out) + (element - job_.start));
  }

  const LawPlan& plan_;
  const RowJob& job_;
  Law law_;
  WordSource source_;
};

template <class Law, class Format>
__attribute__((noinline)) void fill_row_fused(const LawPlan& plan, const RowJob& job) {
  Row<Law, Format>(plan, job).fill();
}

// Float32 values of one stretch after the other, which stay in the first cache, then their codes.
template <class Law, class Element>
__attribute__((noinline)) void fill_row_rounded(const LawPlan& plan, const RowJob& job) {
  if (job.byte_stride != static_cast<std::int64_t>(sizeof(Element))) {
    return fill_piece<Element>(plan, job, job.start, job.start + job.count);
  }
  constexpr std::uint64_t kStretch = 2048;
  static_assert(kStretch % kGroupWords == 0, "stretches begin with whole groups");
  alignas(64) float values[kStretch];
  RowJob stretch{job.seed, job.stream, job.start, 0, values, sizeof(float), StorePolicy::kOrdinary};
  char* out = static_cast<char*>(job.out);
  for (std::uint64_t left = job.count; left > 0; left -= stretch.count) {
    const std::uint64_t room = kStretch - stretch.start % kStretch;
    stretch.count = left < room ? left : room;
    fill_row_fused<Law, Float32Format>(plan, stretch);
    encode(plan.dtype, values, stretch.count, out);
    stretch.start += stretch.count;
    out += stretch.count * sizeof(Element);
  }
}

// Laws drawn one value at a time.
template <class Law>
__attribute__((noinline)) void fill_row_single(const LawPlan& plan, const RowJob& job) {
  char* out = static_cast<char*>(job.out);
  PhiloxBlock words{};
  for (std::uint64_t i = job.start, end = job.start + job.count; i < end; ++i, out += job.byte_stride) {
    if (i == job.start || (i & 3) == 0) words = philox(job.seed, job.stream, i >> 2);
    const std::uint32_t word = words.word[i & 3];
    const std::uint32_t tail = Law::takes_tail(plan, word) ? tail_word(job.seed, job.stream, i) : 0;
    encode_one(plan.dtype, Law::value(plan, word, tail), out);
  }
}

template <class Law>
__attribute__((noinline)) void transform_words(const LawPlan& plan, const std::uint32_t* words,
                                               const std::uint32_t* tails, std::size_t count, char* out) {
  const std::size_t size = element_size(plan.dtype);
  if constexpr (Law::kFused) {
    const Law law(plan);
    alignas(64) std::uint32_t in[kGroupWords] = {};
    alignas(64) float values[kGroupWords];
    for (std::size_t at = 0; at < count; at += kGroupWords) {
      const std::size_t n = count - at < kGroupWords ? count - at : kGroupWords;
      copy_elements(in, words + at, n);
      const bool rare = values_of(law, in, values);
      if constexpr (Law::kWatches)
        for (std::size_t i = 0; rare && i < n; ++i)
          if (Law::is_rare(plan, in[i])) values[i] = Law::value(plan, in[i], tails[at + i]);
      encode(plan.dtype, values, n, out + at * size);
    }
  } else {
    for (std::size_t i = 0; i < count; ++i)
      encode_one(plan.dtype, Law::value(plan, words[i], tails[i]), out + i * size);
  }
}

}  // namespace
}  // namespace fanfill
