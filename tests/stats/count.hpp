// What is counted of a sample: codes, places in the distribution, products at strides, tails, neighbours,
// bits. It must not know what a count should be; every function runs in one pass and bounded memory.
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "sample.hpp"

namespace fanfill_stats {

using Counts = std::vector<std::uint64_t>;

// How often each code of a narrow dtype comes.
template <class Code>
Counts codes(const fanfill::Law& law, fanfill::DType dtype, const Place& place, std::uint64_t count) {
  Counts counts(std::size_t{1} << (8 * sizeof(Code)));
  for_each_chunk<Code>(law, dtype, place, count, 0, [&](const Code* code, std::size_t n) {
    for (std::size_t i = 0; i < n; ++i) ++counts[code[i]];
  });
  return counts;
}

// The probability that a standard normal number is below each value, in equal cells: single values, then
// pairs of neighbours in 16 x 16 and triples in 8 x 8 x 8 coarser cells.
inline constexpr int kCellBits = 20, kPairBits = 4, kTripleBits = 3;
inline constexpr std::size_t kCells = std::size_t{1} << kCellBits, kPairs = std::size_t{1} << (2 * kPairBits),
                             kTriples = std::size_t{1} << (3 * kTripleBits);

// The normal distribution function by cubics between steps of 1/128, from its values and slopes there,
// because erfc costs several times as much. It compares itself with erfc halfway between, where it is
// furthest off.
class DistributionTable {
 public:
  DistributionTable() : knots_(2 * kReach * kPerUnit + 1) {
    for (std::size_t i = 0; i < knots_.size(); ++i) {
      const double x = static_cast<double>(i) / kPerUnit - kReach;
      knots_[i] = {by_erfc(x), 0.39894228040143267794 * std::exp(-0.5 * x * x) / kPerUnit};
    }
    for (std::size_t i = 0; i + 1 < knots_.size(); ++i) {
      const double x = (static_cast<double>(i) + 0.5) / kPerUnit - kReach;
      if (std::fabs(below(x) - by_erfc(x)) > kTolerance) refuse("the distribution's table is wrong");
    }
  }

  double below(double x) const {
    const double at = (std::fmin(std::fmax(x, -kReach), kReach) + kReach) * kPerUnit;
    const auto i = static_cast<std::size_t>(std::fmin(at, 2.0 * kReach * kPerUnit - 1.0));
    const double t = at - static_cast<double>(i), rise = knots_[i + 1].value - knots_[i].value;
    const double left = knots_[i].slope, right = knots_[i + 1].slope;
    return knots_[i].value +
           t * (left + t * (3.0 * rise - 2.0 * left - right + t * (left + right - 2.0 * rise)));
  }

 private:
  struct Knot {
    double value, slope;  // the slope per step
  };
  static constexpr int kReach = 9, kPerUnit = 128;
  static constexpr double kTolerance = 1e-11;  // of a cell: 1e-5
  static double by_erfc(double x) { return 0.5 * std::erfc(-x * 0.70710678118654752440); }
  std::vector<Knot> knots_;
};

template <class Value>
Counts cells(fanfill::DType dtype, const Place& place, std::uint64_t count) {
  const DistributionTable normal;
  const auto cell_of = [&normal](Value v) {
    const auto found =
        static_cast<std::size_t>(normal.below(static_cast<double>(v)) * static_cast<double>(kCells));
    return static_cast<std::uint32_t>(found < kCells ? found : kCells - 1);
  };
  Counts counts(kCells + kPairs + kTriples);
  std::vector<std::uint32_t> cell;
  for_each_chunk<Value>(standard_normal(), dtype, place, count, 0, [&](const Value* v, std::size_t n) {
    cell.resize(n);
    for (std::size_t i = 0; i < n; ++i) ++counts[cell[i] = cell_of(v[i])];
    for (std::size_t i = 0; i + 1 < n; i += 2) {
      constexpr int kShift = kCellBits - kPairBits;
      ++counts[kCells + ((cell[i] >> kShift) << kPairBits | cell[i + 1] >> kShift)];
    }
    for (std::size_t i = 0; i + 2 < n; i += 3) {
      constexpr int kShift = kCellBits - kTripleBits;
      ++counts[kCells + kPairs +
               ((cell[i] >> kShift) << (2 * kTripleBits) | (cell[i + 1] >> kShift) << kTripleBits |
                cell[i + 2] >> kShift)];
    }
  });
  return counts;
}

// Sums of the products of 1 to 8 values that lie `stride` apart; stride 0 gives the powers of one value.
inline constexpr int kOrders = 8;
inline constexpr std::size_t kStrides[] = {0, 1, 2, 3, 4, 7, 17, 1024};
inline constexpr std::size_t kStrideCount = sizeof kStrides / sizeof kStrides[0];

template <class Value>
std::vector<double> moments(fanfill::DType dtype, const Place& place, std::uint64_t count) {
  std::vector<long double> sums(kStrideCount * kOrders);
  for_each_chunk<Value>(
      standard_normal(), dtype, place, count, 1024 * (kOrders - 1), [&](const Value* v, std::size_t n) {
        for (std::size_t s = 0; s < kStrideCount; ++s) {
          double part[kOrders] = {};
          for (std::size_t i = 0; i < n; ++i) {
            double product = 1.0;
            for (int order = 0; order < kOrders; ++order) {
              product *= static_cast<double>(v[i + static_cast<std::size_t>(order) * kStrides[s]]);
              part[order] += product;
            }
          }
          for (std::size_t order = 0; order < kOrders; ++order) sums[s * kOrders + order] += part[order];
        }
      });
  return std::vector<double>(sums.begin(), sums.end());
}

// The first two powers alone, for samples so large that the others would take hours.
template <class Value>
std::vector<double> squares(fanfill::DType dtype, const Place& place, std::uint64_t count) {
  long double first = 0.0L, second = 0.0L;
  for_each_chunk<Value>(standard_normal(), dtype, place, count, 0, [&](const Value* v, std::size_t n) {
    double sum[4] = {}, square[4] = {};
    for (std::size_t i = 0; i < n; ++i) {
      const double x = static_cast<double>(v[i]);
      sum[i & 3] += x;
      square[i & 3] += x * x;
    }
    for (int i = 0; i < 4; ++i) {
      first += sum[i];
      second += square[i];
    }
  });
  return {static_cast<double>(first), static_cast<double>(second)};
}

// How many values lie beyond 4, 5, 6 and 7 sigma, below zero and then above.
inline constexpr int kTailSigmas[] = {4, 5, 6, 7};

template <class Value>
Counts tails(fanfill::DType dtype, const Place& place, std::uint64_t count) {
  Counts counts(8);
  for_each_chunk<Value>(standard_normal(), dtype, place, count, 0, [&](const Value* v, std::size_t n) {
    for (std::size_t i = 0; i < n; ++i) {
      const double x = std::fabs(static_cast<double>(v[i]));
      if (x <= 4.0) continue;
      for (std::size_t t = 0; t < 4; ++t)
        if (x > kTailSigmas[t]) ++counts[(v[i] > Value{0} ? 4u : 0u) + t];
    }
  });
  return counts;
}

// Of consecutive places: the sums of x y and of (x^2 - 1)(y^2 - 1)/2 of each two; last, the sum of (sum of
// all places' values)^2 / places - 1, which sees a correlation that all share.
inline std::vector<double> neighbours(std::vector<Place> places, std::uint64_t count) {
  constexpr std::size_t kChunk = std::size_t{1} << 14;
  std::vector<float> last(kChunk), here(kChunk);
  std::vector<double> total(kChunk), sums(2 * places.size() - 1);
  for (std::uint64_t done = 0; done < count; done += kChunk) {
    const std::size_t n = count - done < kChunk ? static_cast<std::size_t>(count - done) : kChunk;
    for (double& t : total) t = 0.0;
    for (std::size_t p = 0; p < places.size(); ++p) {
      draw(standard_normal(), fanfill::DType::kFloat32, places[p], n, here.data());
      places[p].start += n;
      double product[4] = {}, square[4] = {};
      for (std::size_t i = 0; i < n; ++i) {
        const double x = static_cast<double>(here[i]), y = static_cast<double>(last[i]);
        total[i] += x;
        product[i & 3] += x * y;
        square[i & 3] += (x * x - 1.0) * (y * y - 1.0);
      }
      if (p > 0) {
        sums[2 * (p - 1)] += product[0] + product[1] + product[2] + product[3];
        sums[2 * (p - 1) + 1] += (square[0] + square[1] + square[2] + square[3]) * 0.5;
      }
      last.swap(here);
    }
    for (std::size_t i = 0; i < n; ++i)
      sums.back() += total[i] * total[i] / static_cast<double>(places.size()) - 1.0;
  }
  return sums;
}

// How often each of a block's 128 bits changes when one bit of the seed (64), of the stream (64) or of the
// block number (60: the rest says what the words are for) does.
inline constexpr std::size_t kInputBits = 188, kOutputBits = 128;

inline std::uint64_t mix(std::uint64_t x) {  // splitmix64 (Steele, Lea, Flood, 2014)
  x += 0x9E3779B97F4A7C15u;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
  return x ^ (x >> 31);
}

inline Counts avalanche(std::uint64_t seed, std::uint64_t count) {
  Counts counts(kInputBits * kOutputBits);
  const auto block = [](const std::uint64_t* at, std::uint32_t* out) {
    fanfill::raw_words(nullptr, at[0], at[1], at[2] << 2, 4, out);
  };
  for (std::uint64_t i = 0; i < count; ++i) {
    // Half of the places are small numbers, as people use them.
    const std::uint64_t base = mix(seed + i);
    std::uint64_t at[3] = {mix(base), mix(base + 1), mix(base + 2) >> 4};
    if (i % 2 == 0)
      for (std::uint64_t& part : at) part &= 0xFFu;
    std::uint32_t before[4], after[4];
    block(at, before);
    for (std::size_t bit = 0; bit < kInputBits; ++bit) {
      at[bit / 64] ^= std::uint64_t{1} << (bit % 64);
      block(at, after);
      at[bit / 64] ^= std::uint64_t{1} << (bit % 64);
      for (std::size_t o = 0; o < kOutputBits; ++o)
        counts[bit * kOutputBits + o] += (before[o / 32] ^ after[o / 32]) >> (o % 32) & 1u;
    }
  }
  return counts;
}

}  // namespace fanfill_stats
