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

// Values leave a group in lines of 64 bytes, those of four blocks, which need not lie one after the other.
constexpr int kLineBlocks = 4;
constexpr int kLineBytes = 64;
constexpr int kLineWords = 4 * kLineBlocks;
constexpr int kGroupLines = kGroupWords / kLineWords;
static_assert(kGroupWords % kLineWords == 0 && kLineWords % kLanes == 0,
              "lines are whole vectors of a group");

// Past the cache only where a line is one store.
constexpr bool kStreamsLines = kStreams && kLanes == kLineWords;

// The places of the words of a group whose lines go to `to`.
template <class Value>
class InLines {
 public:
  FANFILL_INLINE explicit InLines(void* const* to) : to_(to) {}
  FANFILL_INLINE Value* operator()(int word) const {
    constexpr int kWordsPerValue = sizeof(Value) / sizeof(std::uint32_t);
    return static_cast<Value*>(to_[word / kLineWords]) + word % kLineWords / kWordsPerValue;
  }

 private:
  void* const* to_;
};

// -- The 32-bit laws: element i is a function of word i -----------------------------------------------------

// Draws the rare words of a group of blocks again, with their tail words; place(i) is where word i's value
// is.
template <class Law, class Place>
FANFILL_INLINE void mend_words(const LawPlan& plan, const WordSource& source, const std::uint64_t* blocks,
                               DType dtype, Place place) {
  alignas(64) std::uint32_t words[kGroupWords];
  write_words_of(source, blocks, words);
  for (int i = 0; i < kGroupWords; ++i)
    if (Law::is_rare(plan, words[i])) {
      const std::uint64_t index = blocks[i / 4] * 4 + static_cast<std::uint64_t>(i % 4);
      const std::uint32_t tail = tail_word(source.seed, source.stream, index);
      encode_one(dtype, Law::value(plan, words[i], tail), place(i));
    }
}
template <class Law>
__attribute__((noinline)) void mend_group(const LawPlan& plan, const WordSource& source,
                                          const std::uint64_t* blocks, DType dtype, void* out) {
  mend_words<Law>(plan, source, blocks, dtype, [&](int i) {
    return static_cast<char*>(out) + static_cast<std::size_t>(i) * element_size(dtype);
  });
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

// One batch of a group, from words to memory as soon as there are vectors for a store. place(i) is where the
// values of the group's word i go.
template <class Law, class Format, bool kStreaming, class Place>
FANFILL_INLINE void put_batch(const Law& law, const U32* words, int j, F32* v, Watch& watch, Place place) {
  law(words, v + j * kVectors, watch);
#pragma GCC unroll 4
  for (int i = 0; i < kVectors; ++i) {
    const int at = j * kVectors + i;
    if (at % Format::kStep == Format::kStep - 1) {
      const int begin = at - (Format::kStep - 1);
      Format::put(place(begin * kLanes), v + begin, kStreaming);
    }
  }
}

// One group from the state after nine rounds to memory, nothing in between. True if a rare word went by.
template <class Law>
FANFILL_INLINE bool finished_group(const Law& law, const PhiloxState& c, const WordSource& source,
                                   InLines<float> place) {
  Watch watch;
  F32 v[kGroupVectors];
#pragma GCC unroll 8
  for (int j = 0; j < kBatches; ++j) {
    U32 words[kVectors];
    last_round(c, source, j, words);
    put_batch<Law, Float32Format, false>(law, words, j, v, watch, place);
  }
  return Law::kWatches && seen(watch);
}

// -- float64: element i is a function of words 2i and 2i + 1, low first -------------------------------------

constexpr int kGroupPairs = kGroupWords / 2;
constexpr int kLanes64 = kLanes / 2;

inline std::uint64_t pair_at(const std::uint32_t* words) {
  return (std::uint64_t{words[1]} << 32) | words[0];
}

template <class Law, class Place>
FANFILL_INLINE void doubles_of(const Law& law, const std::uint32_t* words, Place place) {
  for (int i = 0; i < kGroupVectors; i += 2) {
    F64 v0, v1;
    law(pairs(load(words + i * kLanes)), pairs(load(words + (i + 1) * kLanes)), v0, v1);
    store_f64(place(i * kLanes), v0, false);
    store_f64(place((i + 1) * kLanes), v1, false);
  }
}

// -- Any law ------------------------------------------------------------------------------------------------

// Blocks to be drawn, in whole groups, at least one.
struct BlockList {
  const std::uint64_t* blocks;
  void* const* to;  // where each line of values goes
  std::uint64_t count;
  bool is_shared;    // whether all have the upper half that the source is prepared for
  bool is_streamed;  // by stores past the cache: all lines begin cache lines

  FANFILL_INLINE void advance() {
    blocks += kGroupBlocks;
    to += kGroupLines;
    count -= kGroupBlocks;
  }
};

// To values: float64 where the dtype is that, else float32.
using DrawBlocks = void (*)(const LawPlan& plan, const WordSource& source, BlockList list);

// The memory that will be written to some groups later: too far apart for the core to foresee.
FANFILL_INLINE void fetch_ahead(const BlockList& list) {
  constexpr int kAhead = 32;  // lines
  if (list.count < static_cast<std::uint64_t>((kAhead + kGroupLines) * kLineBlocks)) return;
  for (int i = 0; i < kGroupLines; ++i) __builtin_prefetch(list.to[kAhead + i], 1);
}

template <class Law>
__attribute__((noinline)) void mend_lines(const LawPlan& plan, const WordSource& source,
                                          const std::uint64_t* blocks, void* const* to) {
  if constexpr (Law::kWatches) mend_words<Law>(plan, source, blocks, DType::kFloat32, InLines<float>(to));
}

// Up to the last group, which has no next one.
template <class Law, bool kStreaming>
FANFILL_INLINE void draw_walk(const Law& law, const LawPlan& plan, const WordSource& source,
                              GroupWalk<Listed>& walk, BlockList& list) {
  for (; list.count > kGroupBlocks; list.advance()) {
    if (!kStreaming) fetch_ahead(list);
    Watch watch;
    F32 v[kGroupVectors];
    walk.next([&](int j, const U32* words) {
      put_batch<Law, Float32Format, kStreaming>(law, words, j, v, watch, InLines<float>(list.to));
    });
    if (Law::kWatches && __builtin_expect(seen(watch), 0))
      mend_lines<Law>(plan, source, list.blocks, list.to);
  }
}

// Laws that are seldom asked for have long rows for float32 alone, which costs a narrower dtype one store and
// one load of each value more, and short rows without stores past the cache.
template <class Law>
constexpr bool kIsSeldom = false;
template <>
constexpr bool kIsSeldom<SidesLaw> = true;
template <>
constexpr bool kIsSeldom<NormalLaw<true, true, true>> = true;

template <class Law>
__attribute__((noinline)) void draw_blocks(const LawPlan& plan, const WordSource& source, BlockList list) {
  const Law law(plan);
  PhiloxState c;
  rounds_of(c, source, list.blocks, list.is_shared);
  if (kPipelines && list.is_shared) {
    GroupWalk<Listed> walk(source, Listed(source, list.blocks), c);
    constexpr bool kMayStream = kStreamsLines && !kIsSeldom<Law>;
    if (kMayStream && list.is_streamed)
      draw_walk<Law, kMayStream>(law, plan, source, walk, list);
    else
      draw_walk<Law, false>(law, plan, source, walk, list);
    c = walk.state();
  }
  while (true) {
    if (!kPipelines) fetch_ahead(list);
    if (__builtin_expect(finished_group(law, c, source, InLines<float>(list.to)), 0))
      mend_lines<Law>(plan, source, list.blocks, list.to);
    list.advance();
    if (list.count == 0) return;
    rounds_of(c, source, list.blocks, !kPipelines && list.is_shared);
  }
}

template <class Law>
__attribute__((noinline)) void draw_blocks64(const LawPlan& plan, const WordSource& source, BlockList list) {
  const Law law(plan);
  alignas(64) std::uint32_t words[kGroupWords];
  for (; list.count > 0; list.advance()) {
    fetch_ahead(list);
    write_words_of(source, list.blocks, words);
    doubles_of(law, words, InLines<double>(list.to));
  }
}

// That of a plan's law; null where values are drawn one by one.
DrawBlocks draw_of(const LawPlan& plan);

// A float64 takes two words, all others one.
template <class Element>
constexpr std::uint64_t kElementsPerBlock = sizeof(Element) == 8 ? 2 : 4;

// Room for the elements of so many blocks.
template <class Element, std::uint64_t kBlocks>
class DrawnBlocks {
 public:
  FANFILL_INLINE DrawnBlocks() {
    for (std::uint64_t i = 0; i < kBlocks / kLineBlocks; ++i) {
      if constexpr (kIsRounded)
        to_[i] = values_ + i * kLineWords;
      else
        to_[i] = elements_ + i * (kLineBlocks * kPerBlock);
    }
  }

  FANFILL_INLINE const Element* draw(DrawBlocks draw_law, const LawPlan& plan, const WordSource& source,
                                     const std::uint64_t* blocks, std::uint64_t count, bool is_shared) {
    draw_law(plan, source, {blocks, to_, count, is_shared, false});
    if constexpr (kIsRounded) encode_groups(plan.dtype, values_, count * kPerBlock, elements_);
    return elements_;
  }

 private:
  static_assert(kBlocks % kGroupBlocks == 0, "no group is cut");
  static constexpr std::uint64_t kPerBlock = kElementsPerBlock<Element>;
  static constexpr bool kIsRounded = sizeof(Element) < sizeof(float);
  void* to_[kBlocks / kLineBlocks];
  alignas(64) Element elements_[kBlocks * kPerBlock];
  alignas(64) float values_[kIsRounded ? kBlocks * kPerBlock : 1];
};

}  // namespace
}  // namespace fanfill
