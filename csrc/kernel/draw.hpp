// Values of groups of blocks in any order, from counters to memory, before they are rounded to a narrow
// dtype. It must not know rows, regions or threads: one function for each law serves every dtype and every
// place.
#pragma once

#include <cstddef>
#include <cstdint>

#include "formats.hpp"
#include "laws.hpp"
#include "table.hpp"
#include "words.hpp"

namespace fanfill {
namespace {

// -- The 32-bit laws: element i is a function of word i -----------------------------------------------------

// Draws the rare words of a group of blocks again, with their tail words.
template <class Law>
__attribute__((noinline)) void mend_group(const LawPlan& plan, const WordSource& source,
                                          const std::uint64_t* blocks, DType dtype, void* out) {
  alignas(64) std::uint32_t words[kGroupWords];
  write_words_of(source, blocks, words);
  for (std::uint64_t i = 0; i < kGroupWords; ++i)
    if (Law::is_rare(plan, words[i])) {
      const std::uint32_t tail = tail_word(source.seed, source.stream, blocks[i / 4] * 4 + i % 4);
      encode_one(dtype, Law::value(plan, words[i], tail), static_cast<char*>(out) + i * element_size(dtype));
    }
}

// One group from words in memory to values in memory. True if a rare word went by.
template <class Law>
FANFILL_INLINE bool values_of(const Law& law, const std::uint32_t* words, float* out) {
  Watch watch;
  F32 v[kGroupVectors];
  for (int j = 0; j < kBatches; ++j) {
    U32 w[kVectors];
    for (int i = 0; i < kVectors; ++i) w[i] = load(words + (j * kVectors + i) * kLanes);
    law(w, v + j * kVectors, watch);
  }
  for (int i = 0; i < kGroupVectors; ++i) store_f32(out + i * kLanes, v[i], false);
  return Law::kWatches && seen(watch);
}

// One batch of a group, from words to memory as soon as there are vectors for a store.
template <class Law, class Format, bool kStreaming>
FANFILL_INLINE void put_batch(const Law& law, const U32* words, int j, F32* v, Watch& watch,
                              typename Format::Element* out) {
  law(words, v + j * kVectors, watch);
#pragma GCC unroll 4
  for (int i = 0; i < kVectors; ++i) {
    const int at = j * kVectors + i;
    if (at % Format::kStep == Format::kStep - 1) {
      const int begin = at - (Format::kStep - 1);
      Format::put(out + begin * kLanes, v + begin, kStreaming);
    }
  }
}

// One group from the state after nine rounds to memory, nothing in between. True if a rare word went by.
template <class Law>
FANFILL_INLINE bool finished_group(const Law& law, const PhiloxState& c, const WordSource& source,
                                   float* out) {
  Watch watch;
  F32 v[kGroupVectors];
#pragma GCC unroll 8
  for (int j = 0; j < kBatches; ++j) {
    U32 words[kVectors];
    last_round(c, source, j, words);
    put_batch<Law, Float32Format, false>(law, words, j, v, watch, out);
  }
  return Law::kWatches && seen(watch);
}

// -- float64: element i is a function of words 2i and 2i + 1, low first -------------------------------------

constexpr int kGroupPairs = kGroupWords / 2;
constexpr int kLanes64 = kLanes / 2;

inline std::uint64_t pair_at(const std::uint32_t* words) {
  return (std::uint64_t{words[1]} << 32) | words[0];
}

template <class Law>
FANFILL_INLINE void doubles_of(const Law& law, const std::uint32_t* words, double* out) {
  for (int i = 0; i < kGroupVectors; i += 2) {
    F64 v0, v1;
    law(pairs(load(words + i * kLanes)), pairs(load(words + (i + 1) * kLanes)), v0, v1);
    store_f64(out + i * kLanes64, v0, false);
    store_f64(out + (i + 1) * kLanes64, v1, false);
  }
}

// -- Any law ------------------------------------------------------------------------------------------------

// Blocks to values: float64 where the dtype is that, else float32. `count` is of whole groups, at least one;
// `is_shared` where all blocks have the upper half that the source is prepared for.
using DrawBlocks = void (*)(const LawPlan& plan, const WordSource& source, const std::uint64_t* blocks,
                            std::uint64_t count, bool is_shared, void* out);

template <class Law>
__attribute__((noinline)) void draw_blocks(const LawPlan& plan, const WordSource& source,
                                           const std::uint64_t* blocks, std::uint64_t count, bool is_shared,
                                           void* out) {
  const Law law(plan);
  const auto values_at = [&](std::uint64_t at) { return static_cast<float*>(out) + at * 4; };
  const auto mend = [&](std::uint64_t at) {
    if constexpr (Law::kWatches) mend_group<Law>(plan, source, blocks + at, DType::kFloat32, values_at(at));
  };
  std::uint64_t at = 0;
  PhiloxState c;
  rounds_of(c, source, blocks, is_shared);
  if (kPipelines && is_shared) {  // all but the last group, which has no next one
    GroupWalk<Listed> walk(source, Listed(source, blocks), c);
    for (; at + kGroupBlocks < count; at += kGroupBlocks) {
      Watch watch;
      F32 v[kGroupVectors];
      walk.next([&](int j, const U32* words) {
        put_batch<Law, Float32Format, false>(law, words, j, v, watch, values_at(at));
      });
      if (Law::kWatches && __builtin_expect(seen(watch), 0)) mend(at);
    }
    c = walk.state();
  }
  while (true) {
    if (__builtin_expect(finished_group(law, c, source, values_at(at)), 0)) mend(at);
    at += kGroupBlocks;
    if (at == count) return;
    rounds_of(c, source, blocks + at, is_shared);
  }
}

template <class Law>
__attribute__((noinline)) void draw_blocks64(const LawPlan& plan, const WordSource& source,
                                             const std::uint64_t* blocks, std::uint64_t count, bool,
                                             void* out) {
  const Law law(plan);
  alignas(64) std::uint32_t words[kGroupWords];
  double* values = static_cast<double*>(out);
  for (std::uint64_t at = 0; at < count; at += kGroupBlocks, values += kGroupPairs) {
    write_words_of(source, blocks + at, words);
    doubles_of(law, words, values);
  }
}

// That of a plan's law; null where values are drawn one by one.
DrawBlocks draw_of(const LawPlan& plan);

// Room for the elements of so many blocks.
template <class Element, std::uint64_t kBlocks>
class DrawnBlocks {
 public:
  static constexpr std::uint64_t kPerBlock = sizeof(Element) == 8 ? 2 : 4;

  FANFILL_INLINE const Element* draw(DrawBlocks draw_law, const LawPlan& plan, const WordSource& source,
                                     const std::uint64_t* blocks, std::uint64_t count, bool is_shared) {
    if constexpr (kIsRounded) {
      draw_law(plan, source, blocks, count, is_shared, values_);
      encode_groups(plan.dtype, values_, count * kPerBlock, elements_);
    } else {
      draw_law(plan, source, blocks, count, is_shared, elements_);
    }
    return elements_;
  }

 private:
  static_assert(kBlocks % kGroupBlocks == 0, "no group is cut");
  static constexpr bool kIsRounded = sizeof(Element) < sizeof(float);
  alignas(64) Element elements_[kBlocks * kPerBlock];
  alignas(64) float values_[kIsRounded ? kBlocks * kPerBlock : 1];
};

}  // namespace
}  // namespace fanfill
