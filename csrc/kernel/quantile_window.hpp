// The rows of the quantile's tables that registers hold, in the orders in which the permutes want them.
// It must not know any instruction; each lanes header reads the order that suits it.
#pragma once

#include "quantile_table.hpp"
#include "quantile_table64.hpp"

namespace fanfill {
namespace {

// P = p * 2^31 for float32: its biased exponent and the top bit of its mantissa choose the piece.
constexpr int kUnitExponent = 127 + 31;
constexpr int kWindowFirst =
    kUnitExponent - 15;  // P in [2^16, 2^32): sixteen octaves, the last of them P = 2^31 alone

// Laws draw some words with P below this otherwise, and watch for them. Only P from there on have both bits.
constexpr float kSmallArgument = 131072.0f;  // 2^17
constexpr unsigned kLargeArgumentBits = 0x48000000u;

struct QuantileWindow {
  alignas(64) float interleaved[kDegree + 1][32];   // slot = (exponent & 15) * 2 + half
  alignas(64) float octaves[2][kDegree + 1][2][8];  // upper and lower eight octaves; half; exponent & 7
  alignas(64) float sixteens[2][kDegree + 1][16];   // upper and lower; (exponent & 7) * 2 + half
};

constexpr QuantileWindow make_window() {
  QuantileWindow w{};
  for (int e = kWindowFirst; e < kWindowFirst + 16; ++e)
    for (int half = 0; half < 2; ++half)
      for (int d = 0; d <= kDegree; ++d) {
        const float c = kQuantile[e - kUnitExponent - kFirstOctave][half][d];
        const int lower = e < kWindowFirst + 8 ? 1 : 0;
        w.interleaved[d][(e & 15) * 2 + half] = c;
        w.octaves[lower][d][half][e & 7] = c;
        w.sixteens[lower][d][(e & 7) * 2 + half] = c;
      }
  return w;
}
alignas(64) constexpr QuantileWindow kWindow = make_window();

// n = p * 2^63 for float64: the eight octaves [2^56, 2^64).
constexpr int kUnitExponent64 = 1023 + 63;
constexpr int kWindowFirst64 = kUnitExponent64 - 7;

struct QuantileWindow64 {
  alignas(64) double interleaved[kDegree64 + 1][16];  // slot = (exponent & 7) * 2 + half
};

constexpr QuantileWindow64 make_window64() {
  QuantileWindow64 w{};
  for (int e = kWindowFirst64; e < kWindowFirst64 + 8; ++e)
    for (int half = 0; half < 2; ++half)
      for (int d = 0; d <= kDegree64; ++d)
        w.interleaved[d][(e & 7) * 2 + half] = kQuantile64[e - kUnitExponent64 - kFirstOctave64][half][d];
  return w;
}
alignas(64) constexpr QuantileWindow64 kWindow64 = make_window64();
constexpr double kWindowBegin64 = 0x1p56;

// The coefficients of a piece by the bits of p * 2^63 above the variable's: exponent, then half.
inline const double* row64(unsigned long long piece) {
  constexpr unsigned long long kFirst =
      2ull * static_cast<unsigned long long>(kUnitExponent64 + kFirstOctave64);
  return &kQuantile64[0][0][0] + (piece - kFirst) * (kDegree64 + 1);
}

}  // namespace
}  // namespace fanfill
