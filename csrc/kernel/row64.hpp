// A row of float64: as row.hpp, but element i is a function of words 2i and 2i + 1, low first.
// It must not know threads or regions; a value never depends on where a row begins or ends.
#pragma once

#include "row.hpp"

namespace fanfill {
namespace {

template <class Law>
class Row64 {
 public:
  FANFILL_INLINE Row64(const LawPlan& plan, const RowJob& job) : plan_(plan), job_(job), law_(plan) {
    open(source_, job.seed, job.stream, job.start >> 1);
  }
  FANFILL_INLINE void fill() {
    const std::uint64_t end = job_.start + job_.count;
    std::uint64_t at = (job_.start + 1) & ~std::uint64_t{1};
    if (job_.byte_stride != static_cast<std::int64_t>(sizeof(double))) at = end;
    for (int i = 0; i < 4 && (address(at) & 63) != 0; ++i) at += 2;
    if (at >= end || end - at < kGroupPairs) {
      piece(job_.start, end);
      return;
    }
    piece(job_.start, at);
    const bool streaming = kStreams && job_.store == StorePolicy::kStreaming && (address(at) & 63) == 0;
    at = streaming ? whole_groups<kStreams>(at, end) : whole_groups<false>(at, end);
    piece(at, end);
  }

 private:
  FANFILL_INLINE void piece(std::uint64_t begin, std::uint64_t end) {
    fill_piece<double>(plan_, job_, begin, end);
  }

  template <bool kStreaming>
  FANFILL_INLINE std::uint64_t whole_groups(std::uint64_t at, std::uint64_t end) {
    double* out = static_cast<double*>(job_.out) + (at - job_.start);
    while (end - at >= kGroupPairs) {
      if (__builtin_expect(!covers(source_, at >> 1), 0)) {
        piece(at, at + kGroupPairs);
        at += kGroupPairs;
        out += kGroupPairs;
        continue;
      }
      auto walk = walk_from(source_, at >> 1);
      std::uint64_t count = covered_groups(at >> 1, (end - at) / kGroupPairs);
      for (; count > 0; --count, at += kGroupPairs, out += kGroupPairs)
        walk.next([&](int j, const U32* words) { put<kStreaming>(words, out + j * kVectors * kLanes64); });
    }
    return at;
  }
  template <bool kStreaming>
  FANFILL_INLINE void put(const U32* words, double* out) {
#pragma GCC unroll 4
    for (int i = 0; i < kVectors; i += 2) {
      F64 v0, v1;
      law_(pairs(words[i]), pairs(words[i + 1]), v0, v1);
      store_f64(out + i * kLanes64, v0, kStreaming);
      store_f64(out + (i + 1) * kLanes64, v1, kStreaming);
    }
  }
  FANFILL_INLINE std::uintptr_t address(std::uint64_t element) const {
    return reinterpret_cast<std::uintptr_t>(static_cast<double*>(job_.out) + (element - job_.start));
  }

  const LawPlan& plan_;
  const RowJob& job_;
  Law law_;
  WordSource source_;
};

template <class Law>
__attribute__((noinline)) void fill_row64_fused(const LawPlan& plan, const RowJob& job) {
  Row64<Law>(plan, job).fill();
}

template <class Law>
__attribute__((noinline)) void fill_row64_single(const LawPlan& plan, const RowJob& job) {
  char* out = static_cast<char*>(job.out);
  for (std::uint64_t i = job.start, end = job.start + job.count; i < end; ++i, out += job.byte_stride) {
    const PhiloxBlock words = philox(job.seed, job.stream, i >> 1);
    *reinterpret_cast<double*>(out) = Law::value(plan, pair_at(words.word + (i & 1) * 2));
  }
}

template <class Law>
void transform_words64(const LawPlan& plan, const std::uint64_t* words, std::size_t count, double* out) {
  if constexpr (Law::kFused) {
    const Law law(plan);
    alignas(64) std::uint32_t in[kGroupWords] = {};
    alignas(64) double values[kGroupPairs];
    for (std::size_t at = 0; at < count; at += kGroupPairs) {
      const std::size_t n = count - at < kGroupPairs ? count - at : kGroupPairs;
      for (std::size_t i = 0; i < n; ++i) {
        in[2 * i] = low_half(words[at + i]);
        in[2 * i + 1] = high_half(words[at + i]);
      }
      doubles_of(law, in, [&](int word) { return values + word / 2; });
      copy_elements(out + at, values, n);
    }
  } else {
    for (std::size_t i = 0; i < count; ++i) out[i] = Law::value(plan, words[i]);
  }
}

}  // namespace
}  // namespace fanfill
