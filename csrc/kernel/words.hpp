// The words of a group of consecutive blocks, in flat order, from the lanes' Philox.
// It must not know laws, dtypes or memory; a group is as many batches as an instruction set keeps in flight.
#pragma once

#include <cstddef>
#include <cstdint>

#include "../philox.hpp"

namespace fanfill {
namespace {

constexpr int kGroupVectors = kBatches * kVectors;  // in a group
constexpr int kGroupWords = kGroupVectors * kLanes;
constexpr int kGroupBlocks = kGroupWords / 4;
static_assert(kGroupVectors % 4 == 0, "float8 stores take four vectors");

// All that the blocks of one stream with one upper half of the block number share. Words 2 and 3 of the
// counter are the stream, word 1 is that upper half, so half of the first two rounds is the same for all of
// them.
struct WordSource {
  Word key0[kPhiloxRounds], key1[kPhiloxRounds];
  Product64 step[kBatches];  // M0 times the counters of a batch, counted from the group's first
  Word m0, m1;
  Word first;   // round 1: high(M1 c2) has met c1 and key 0, word 3 and key 1 wait for high(M0 c0)
  Word second;  // round 2: word 1 and key 0
  Word third;   // round 2: high(M0 c0) and key 1
  Word fourth;  // round 3: word 3 and key 1
  std::uint64_t seed, stream;
  std::uint32_t upper;
};

FANFILL_INLINE std::uint32_t round_key0(std::uint64_t seed, int round) {
  return low_half(seed) + static_cast<std::uint32_t>(round) * kPhiloxW0;
}
FANFILL_INLINE std::uint32_t round_key1(std::uint64_t seed, int round) {
  return high_half(seed) + static_cast<std::uint32_t>(round) * kPhiloxW1;
}

FANFILL_INLINE void prepare(WordSource& s, std::uint32_t upper) {
  s.upper = upper;
  const std::uint64_t p1 = std::uint64_t{kPhiloxM1} * low_half(s.stream);
  const std::uint32_t c0 = high_half(p1) ^ upper ^ round_key0(s.seed, 0);  // word 0 after round 1
  const std::uint64_t p0 = std::uint64_t{kPhiloxM0} * c0;
  s.first = word_splat(high_half(s.stream) ^ round_key1(s.seed, 0));
  s.second = word_splat(low_half(p1) ^ round_key0(s.seed, 1));
  s.third = word_splat(high_half(p0) ^ round_key1(s.seed, 1));
  s.fourth = word_splat(low_half(p0) ^ round_key1(s.seed, 2));
}

FANFILL_INLINE void open(WordSource& s, std::uint64_t seed, std::uint64_t stream, std::uint64_t block) {
  s.seed = seed;
  s.stream = stream;
  for (int r = 0; r < kPhiloxRounds; ++r) {
    s.key0[r] = key_splat(round_key0(seed, r), r == kPhiloxRounds - 1);
    s.key1[r] = key_splat(round_key1(seed, r), r == kPhiloxRounds - 1);
  }
  for (int j = 0; j < kBatches; ++j)
    s.step[j] = multiples(kPhiloxM0, static_cast<std::uint64_t>(j * kCounters));
  s.m0 = word_splat(kPhiloxM0);
  s.m1 = word_splat(kPhiloxM1);
  prepare(s, high_half(block));
}

// Whether every block of the group has the upper half that the source is prepared for, after preparing it.
FANFILL_INLINE bool covers(WordSource& s, std::uint64_t block) {
  if (__builtin_expect(high_half(block) != s.upper, 0)) prepare(s, high_half(block));
  return high_half(block + kGroupBlocks - 1) == s.upper;
}
// How many of `count` consecutive groups, of which the first is covered, are.
FANFILL_INLINE std::uint64_t covered_groups(std::uint64_t block, std::uint64_t count) {
  const std::uint64_t alike = ((std::uint64_t{1} << 32) - low_half(block)) / kGroupBlocks;
  return count < alike ? count : alike;
}

struct PhiloxState {
  Word c0[kBatches], c1[kBatches], c2[kBatches], c3[kBatches];
};

FANFILL_INLINE void middle_round(PhiloxState& c, const WordSource& s, int r) {
#pragma GCC unroll 8
  for (int j = 0; j < kBatches; ++j) {
    const Product p0 = multiply(c.c0[j], s.m0), p1 = multiply(c.c2[j], s.m1);
    c.c0[j] = high_xor(p1, c.c1[j], s.key0[r]);
    c.c2[j] = high_xor_shuffled(p0, c.c3[j], s.key1[r]);
    c.c1[j] = low(p1);
    c.c3[j] = low(p0);
  }
}

FANFILL_INLINE void last_round(const PhiloxState& c, const WordSource& s, int j, U32* out) {
  const Product p0 = multiply(c.c0[j], s.m0), p1 = multiply(c.c2[j], s.m1);
  emit(p0, p1, c.c1[j], c.c3[j], s.key0[kPhiloxRounds - 1], s.key1[kPhiloxRounds - 1], out);
}

// Rounds 1 to 3 of a group whose blocks share their upper half, `first` being M0 times their lower halves.
template <class First>
FANFILL_INLINE void opening_rounds(PhiloxState& c, const WordSource& s, First first) {
#pragma GCC unroll 8
  for (int j = 0; j < kBatches; ++j) {
    const Product p0 = first(j);
    const Product p1 = multiply(high_xor(p0, s.first), s.m1);  // round 2
    const Word c0_2 = high_xor(p1, s.second), c2_2 = xor_words(low(p0), s.third);
    const Product q0 = multiply(c0_2, s.m0), q1 = multiply(c2_2, s.m1);  // round 3
    c.c0[j] = high_xor(q1, low(p1), s.key0[2]);
    c.c2[j] = high_xor(q0, s.fourth);
    c.c1[j] = low(q1);
    c.c3[j] = low(q0);
  }
}
constexpr int kOpeningRounds = 3;

// Rounds 1 to 9 of such a group.
template <class First>
FANFILL_INLINE void shared_rounds(PhiloxState& c, const WordSource& s, First first) {
  opening_rounds(c, s, first);
#pragma GCC unroll 8
  for (int r = kOpeningRounds; r < kPhiloxRounds - 1; ++r) middle_round(c, s, r);
}

// The counters of consecutive groups (covers() is true), of the present one M0 times as a product:
// M0 (block + i) = M0 block + M0 i.
class Consecutive {
 public:
  FANFILL_INLINE Consecutive(const WordSource& s, std::uint64_t block) : source_(s), block_(block) {}
  FANFILL_INLINE void advance() { block_ += kGroupBlocks; }
  FANFILL_INLINE Product operator()(int j) const {
    return sum64(splat64(std::uint64_t{kPhiloxM0} * low_half(block_)), source_.step[j]);
  }

 private:
  const WordSource& source_;
  std::uint64_t block_;
};

// Those of listed blocks, which share their upper half.
class Listed {
 public:
  FANFILL_INLINE Listed(const WordSource& s, const std::uint64_t* blocks) : source_(s), blocks_(blocks) {}
  FANFILL_INLINE void advance() { blocks_ += kGroupBlocks; }
  FANFILL_INLINE Product operator()(int j) const {
    Word c0, c1;
    counter_words(blocks_ + j * kCounters, c0, c1);
    return multiply(c0, source_.m0);
  }

 private:
  const WordSource& source_;
  const std::uint64_t* blocks_;
};

// Rounds 1 to 9 of any group whose counters' words 0 and 1 are set.
FANFILL_INLINE void general_rounds(PhiloxState& c, const WordSource& s) {
  for (int j = 0; j < kBatches; ++j) {
    c.c2[j] = word_splat(low_half(s.stream));
    c.c3[j] = word_splat(high_half(s.stream));
  }
  for (int r = 0; r < kPhiloxRounds - 1; ++r) middle_round(c, s, r);
}

FANFILL_INLINE void set_counters(PhiloxState& c, const std::uint64_t* blocks) {
  for (int j = 0; j < kBatches; ++j) counter_words(blocks + j * kCounters, c.c0[j], c.c1[j]);
}

// Of as many blocks as a group has, in any order; out of line, for it is seldom that they differ in their
// upper half.
__attribute__((noinline)) void listed_rounds(const WordSource& s, const std::uint64_t* blocks,
                                             PhiloxState* out) {
  set_counters(*out, blocks);
  general_rounds(*out, s);
}

// The same; `is_shared` where all have the upper half that the source is prepared for.
FANFILL_INLINE void rounds_of(PhiloxState& c, const WordSource& s, const std::uint64_t* blocks,
                              bool is_shared) {
  if (__builtin_expect(is_shared, 1)) {
    set_counters(c, blocks);
    shared_rounds(c, s, [&](int j) { return multiply(c.c0[j], s.m0); });
  } else {
    PhiloxState state;  // not `c` itself, which belongs in registers
    listed_rounds(s, blocks, &state);
    c = state;
  }
}

// Out of line, with a source of its own: what a function behind a pointer has seen is no constant any more.
[[maybe_unused]] __attribute__((noinline)) void first_rounds(std::uint64_t seed, std::uint64_t stream,
                                                             std::uint64_t block, PhiloxState* out) {
  WordSource source;
  open(source, seed, stream, block);
  shared_rounds(*out, source, Consecutive(source, block));
}

// The words of one group of counters (Consecutive or Listed) after the other. Where it pipelines, it begins
// with the state after nine rounds of the first.
template <class Counters>
class GroupWalk {
 public:
  FANFILL_INLINE GroupWalk(const WordSource& source, Counters counters, const PhiloxState& first)
      : source_(source), counters_(counters), c_(first) {}
  FANFILL_INLINE const PhiloxState& state() const { return c_; }

  // Hands the words of a group to take(j, words), batch j = 0, 1, ... Where it pipelines, parts of the next
  // group's rounds stand between the batches: the cipher is a chain of dependent products, a law one of
  // dependent fmas, and a core that has both at hand waits for neither.
  template <class Take>
  FANFILL_INLINE void next(Take take) {
    if constexpr (kPipelines) {
      U32 words[kGroupVectors];
#pragma GCC unroll 8
      for (int j = 0; j < kBatches; ++j) last_round(c_, source_, j, words + j * kVectors);
      counters_.advance();
#pragma GCC unroll 8
      for (int j = 0; j < kBatches; ++j) {
        next_part(j);
        take(j, words + j * kVectors);
      }
    } else {
      PhiloxState c;
      shared_rounds(c, source_, counters_);
      counters_.advance();
#pragma GCC unroll 8
      for (int j = 0; j < kBatches; ++j) {
        U32 words[kVectors];
        last_round(c, source_, j, words);
        take(j, words);
      }
    }
  }

 private:
  // Rounds 1 to 9 in as many parts as there are batches.
  FANFILL_INLINE void next_part(int part) {
    constexpr int kMiddle = kPhiloxRounds - 1 - kOpeningRounds, kParts = kBatches - 1;
    static_assert(!kPipelines || kMiddle % kParts == 0, "the parts are all of the rounds");
    if (part == 0) return opening_rounds(c_, source_, counters_);
#pragma GCC unroll 8
    for (int r = 0; r < kMiddle / kParts; ++r)
      middle_round(c_, source_, kOpeningRounds + (part - 1) * (kMiddle / kParts) + r);
  }

  const WordSource& source_;
  Counters counters_;
  PhiloxState c_;  // after nine rounds of the present group, where the walk pipelines
};

FANFILL_INLINE GroupWalk<Consecutive> walk_from(const WordSource& source, std::uint64_t block) {
  PhiloxState first;
  if constexpr (kPipelines) first_rounds(source.seed, source.stream, block, &first);
  return {source, Consecutive(source, block), first};
}

FANFILL_INLINE void store_words(const PhiloxState& c, const WordSource& s, std::uint32_t* out) {
  for (int j = 0; j < kBatches; ++j) {
    U32 w[kVectors];
    last_round(c, s, j, w);
    for (int v = 0; v < kVectors; ++v) store(out + (j * kVectors + v) * kLanes, w[v]);
  }
}

// A group's words in memory: for heads, tails, strided rows and the few groups that need a second look.
__attribute__((noinline)) void write_group_words(const WordSource& source, std::uint64_t block,
                                                 std::uint32_t* out) {
  PhiloxState c;
  for (int j = 0; j < kBatches; ++j)
    counter_words(block + static_cast<std::uint64_t>(j * kCounters), c.c0[j], c.c1[j]);
  general_rounds(c, source);
  store_words(c, source, out);
}

__attribute__((noinline)) void write_words_of(const WordSource& source, const std::uint64_t* blocks,
                                              std::uint32_t* out) {
  PhiloxState c;
  listed_rounds(source, blocks, &c);
  store_words(c, source, out);
}

// The domain-1 word at the place of element word `index`.
inline std::uint32_t tail_word(std::uint64_t seed, std::uint64_t stream, std::uint64_t index) {
  return philox(seed, stream, (index >> 2) | kDomainTails).word[index & 3];
}

}  // namespace
}  // namespace fanfill
