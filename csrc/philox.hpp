// Philox4x32-10 as a pure function of counter and key, and how fanfill lays its counters out.
// It must not know laws, dtypes or vectors; the lanes repeat it side by side.
#pragma once

#include <cstdint>

namespace fanfill {

// Salmon, Moraes, Dror and Shaw, Parallel random numbers: as easy as 1, 2, 3, 2011.
inline constexpr std::uint32_t kPhiloxM0 = 0xD2511F53u;  // multiplies word 0
inline constexpr std::uint32_t kPhiloxM1 = 0xCD9E8D57u;  // multiplies word 2
inline constexpr std::uint32_t kPhiloxW0 = 0x9E3779B9u;  // golden ratio: key 0's step
inline constexpr std::uint32_t kPhiloxW1 = 0xBB67AE85u;  // sqrt(3) - 1: key 1's step
inline constexpr int kPhiloxRounds = 10;  // 7 pass the batteries, but their authors warn of them

// The two top bits of the 64-bit block number say what the block is for: `Domain`, in place.
inline constexpr std::uint64_t kDomainElements = 0;
inline constexpr std::uint64_t kDomainTails = std::uint64_t{1} << 62;

struct PhiloxBlock {
  std::uint32_t word[4];
};

static constexpr std::uint32_t low_half(std::uint64_t v) {
  return static_cast<std::uint32_t>(v & 0xFFFFFFFFu);
}
static constexpr std::uint32_t high_half(std::uint64_t v) { return static_cast<std::uint32_t>(v >> 32); }

// counter = (block low, block high, stream low, stream high), key = (seed low, seed high).
static constexpr PhiloxBlock philox(std::uint64_t seed, std::uint64_t stream, std::uint64_t block) {
  std::uint32_t c0 = low_half(block), c1 = high_half(block), c2 = low_half(stream), c3 = high_half(stream);
  std::uint32_t k0 = low_half(seed), k1 = high_half(seed);
  for (int round = 0; round < kPhiloxRounds; ++round) {
    const std::uint64_t p0 = std::uint64_t{kPhiloxM0} * c0, p1 = std::uint64_t{kPhiloxM1} * c2;
    c0 = high_half(p1) ^ c1 ^ k0;
    c1 = low_half(p1);
    c2 = high_half(p0) ^ c3 ^ k1;
    c3 = low_half(p0);
    k0 += kPhiloxW0;
    k1 += kPhiloxW1;
  }
  return {{c0, c1, c2, c3}};
}

// The known answers that Random123 publishes (tests/kat_vectors): zeros, ones, digits of pi.
namespace known_answers {
static constexpr bool equal(PhiloxBlock a, std::uint32_t w0, std::uint32_t w1, std::uint32_t w2,
                            std::uint32_t w3) {
  return a.word[0] == w0 && a.word[1] == w1 && a.word[2] == w2 && a.word[3] == w3;
}
static_assert(equal(philox(0, 0, 0), 0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u));
static_assert(equal(philox(~std::uint64_t{0}, ~std::uint64_t{0}, ~std::uint64_t{0}), 0x408f276du, 0x41c83b0eu,
                    0xa20bc7c6u, 0x6d5451fdu));
static_assert(equal(philox(0x299f31d0a4093822u, 0x0370734413198a2eu, 0x85a308d3243f6a88u), 0xd16cfe09u,
                    0x94fdccebu, 0x5001e420u, 0x24126ea1u));
}  // namespace known_answers

}  // namespace fanfill
