// Every float32 pattern through the core's rounding to a narrow dtype, against integer arithmetic of its own.
// It must not know laws; a pattern is 32 bits, NaN and infinity included.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "fanfill/fanfill.hpp"
#include "index_set.hpp"
#include "report.hpp"

namespace fanfill_exhaustive {

// A narrow dtype: sign, exponent, fraction from the top; its largest finite code without the sign.
struct NarrowFormat {
  const char* name;
  fanfill::DType dtype;
  int fraction_bits, exponent_bits, bias;
  std::uint32_t largest;
};

inline constexpr NarrowFormat kNarrowFormats[] = {
    {"bfloat16", fanfill::DType::kBFloat16, 7, 8, 127, 0x7F7Fu},
    {"float16", fanfill::DType::kFloat16, 10, 5, 15, 0x7BFFu},
    {"float8_e4m3fn", fanfill::DType::kFloat8E4M3, 3, 4, 7, 0x7Eu},
    {"float8_e5m2", fanfill::DType::kFloat8E5M2, 2, 5, 15, 0x7Bu},
};

inline const NarrowFormat* find_format(const char* name) {
  for (const NarrowFormat& format : kNarrowFormats) {
    if (std::strcmp(format.name, name) == 0) return &format;
  }
  return nullptr;
}

// To nearest, ties to even, by shifting the 24-bit significand and looking at what falls off. Too large and
// infinite give the largest finite value, NaN the lowest: clamping comes before rounding, and the clamp's
// first comparison with a NaN gives the lower end.
inline std::uint32_t round_pattern(std::uint32_t pattern, const NarrowFormat& format) {
  const std::uint32_t sign_bit = 1u << (format.fraction_bits + format.exponent_bits);
  const std::uint32_t magnitude = pattern & 0x7FFFFFFFu;
  if (magnitude > 0x7F800000u) return sign_bit | format.largest;
  const std::uint32_t sign = (pattern >> 31) != 0 ? sign_bit : 0u;
  const int biased = static_cast<int>(magnitude >> 23);
  const std::uint32_t fraction = magnitude & 0x7FFFFFu;
  const std::uint32_t significand = biased == 0 ? fraction : fraction | 0x800000u;
  const int exponent = (biased == 0 ? 1 : biased) - 127;  // the value is significand * 2^(exponent - 23)
  const int lowest = 1 - format.bias;                     // the exponent of the smallest normal value
  const bool is_subnormal = exponent < lowest || biased == 0;
  int shift = 23 - format.fraction_bits;
  if (exponent < lowest) shift += lowest - exponent;
  if (shift > 25) return sign;  // less than half of the smallest subnormal
  const std::uint32_t kept = significand >> shift, dropped = significand & ((1u << shift) - 1u);
  const std::uint32_t half = 1u << (shift - 1);
  const bool up = dropped > half || (dropped == half && (kept & 1u) != 0);
  // A carry out of the fraction raises the exponent by itself.
  const std::uint32_t base =
      is_subnormal ? 0u : static_cast<std::uint32_t>(exponent + format.bias - 1) << format.fraction_bits;
  const std::uint32_t code = base + kept + (up ? 1u : 0u);
  return sign | (code > format.largest ? format.largest : code);
}

template <class Code>
class Converter {
 public:
  static constexpr std::size_t kChunk = std::size_t{1} << 14;

  Converter(const NarrowFormat& format, const std::vector<std::string>& isas, Report* report)
      : format_(format), isas_(isas), report_(report), values_(kChunk), expected_(kChunk), codes_(kChunk) {
    check_ = report->declare("converter");
  }

  // One pattern in `every`, a power of two: half of them multiples of it, where all ties lie, half just
  // beside.
  void run(std::uint64_t every) {
    for (std::uint64_t start = 0; start < (std::uint64_t{1} << 32); start += kChunk * every) {
      for (std::size_t i = 0; i < kChunk; ++i) {
        const std::uint64_t base = start + i * every, choice = mix(base) & 3u;
        const std::uint32_t pattern = static_cast<std::uint32_t>(base + (every == 1 || choice < 2 ? 0
                                                                         : choice == 2            ? 1
                                                                                       : every - 1));
        std::memcpy(&values_[i], &pattern, sizeof pattern);
        expected_[i] = static_cast<Code>(round_pattern(pattern, format_));
      }
      for (const std::string& isa : isas_) compare(isa);
      inputs_ += kChunk;
    }
    report_->text("dtype", format_.name);
    report_->count("inputs", inputs_);
  }

 private:
  void compare(const std::string& isa) {
    const fanfill::Status status =
        fanfill::round_to(isa.c_str(), format_.dtype, values_.data(), kChunk, codes_.data());
    if (status != fanfill::Status::kOk) {
      std::fprintf(stderr, "%s: %s\n", isa.c_str(), fanfill::message(status));
      std::exit(2);
    }
    if (std::memcmp(codes_.data(), expected_.data(), kChunk * sizeof(Code)) == 0) return;
    for (std::size_t i = 0; i < kChunk; ++i) {
      std::uint32_t pattern;
      std::memcpy(&pattern, &values_[i], sizeof pattern);
      if (codes_[i] != expected_[i])
        report_->fail(check_, pattern, static_cast<double>(codes_[i]), isa.c_str());
    }
  }

  const NarrowFormat& format_;
  const std::vector<std::string>& isas_;
  Report* report_;
  std::vector<float> values_;
  std::vector<Code> expected_, codes_;
  std::size_t check_ = 0;
  std::uint64_t inputs_ = 0;
};

}  // namespace fanfill_exhaustive
