// How float32 values lie in memory in each dtype that they are rounded to: vectors at a time and one at a
// time. It must not know laws or words; values are already within the dtype's finite range.
#pragma once

#include <cstddef>
#include <cstdint>

#include "law_plan.hpp"
#include "rounding.hpp"
#include "words.hpp"

namespace fanfill {
namespace {

// kStep vectors make one store. kSaturates: a law may leave the finite range, so it is clamped. kExact: not
// rounded.
struct Float32Format {
  using Element = float;
  static constexpr int kStep = 1;
  static constexpr bool kExact = true;
  static constexpr bool kSaturates = false;
  FANFILL_INLINE static void put(Element* out, const F32* v, bool streaming) {
    store_f32(out, v[0], streaming);
  }
  static Element code(float v) { return v; }
};

struct BFloat16Format {
  using Element = std::uint16_t;
  static constexpr int kStep = 2;
  static constexpr bool kExact = false;
  static constexpr bool kSaturates = false;  // same range as float32, and the plan keeps ten sigma inside it
  FANFILL_INLINE static void put(Element* out, const F32* v, bool streaming) {
    store_bf16(out, v[0], v[1], streaming);
  }
  static Element code(float v) { return bf16_code(v); }
};

struct Float16Format {
  using Element = std::uint16_t;
  static constexpr int kStep = 2;
  static constexpr bool kExact = false;
  static constexpr bool kSaturates = true;
  FANFILL_INLINE static void put(Element* out, const F32* v, bool streaming) {
    store_f16(out, v[0], v[1], streaming);
  }
  static Element code(float v) { return f16_code(v); }
};

template <int kMantissa, int kBias>
struct Float8Format {
  using Element = std::uint8_t;
  static constexpr int kStep = 4;
  static constexpr bool kExact = false;
  static constexpr bool kSaturates = true;
  FANFILL_INLINE static void put(Element* out, const F32* v, bool streaming) {
    store_f8<kMantissa, kBias>(out, v[0], v[1], v[2], v[3], streaming);
  }
  static Element code(float v) { return f8_code<kMantissa, kBias>(v); }
};
using Float8E4M3Format = Float8Format<3, 7>;
using Float8E5M2Format = Float8Format<2, 15>;

template <class T>
struct Is {
  using Type = T;
};

template <class Do>
FANFILL_INLINE void with_format(DType dtype, Do run) {
  switch (dtype) {
    case DType::kBFloat16:
      return run(Is<BFloat16Format>{});
    case DType::kFloat16:
      return run(Is<Float16Format>{});
    case DType::kFloat8E4M3:
      return run(Is<Float8E4M3Format>{});
    case DType::kFloat8E5M2:
      return run(Is<Float8E5M2Format>{});
    default:
      return run(Is<Float32Format>{});
  }
}

// Bytes copied in place and not by a call of memcpy: at these sizes the call costs more than the copy. The
// last step overlaps the one before, so that no count takes many small ones.
template <class Element>
FANFILL_INLINE void copy_elements(Element* to, const Element* from, std::uint64_t count) {
  const std::uint64_t bytes = count * sizeof(Element);
  if (bytes >= 32) {
    constexpr std::uint64_t kStep = 32 / sizeof(Element);
    std::uint64_t i = 0;
    for (; i + 2 * kStep <= count; i += 2 * kStep) __builtin_memcpy(to + i, from + i, 64);
    if (i + kStep < count) __builtin_memcpy(to + i, from + i, 32);
    if (i < count) __builtin_memcpy(to + (count - kStep), from + (count - kStep), 32);
  } else if (bytes >= 16) {
    constexpr std::uint64_t kStep = 16 / sizeof(Element);
    __builtin_memcpy(to, from, 16);
    __builtin_memcpy(to + (count - kStep), from + (count - kStep), 16);
  } else {
    for (std::uint64_t i = 0; i < count; ++i) to[i] = from[i];
  }
}

// One value, for the places where values come one by one: a function for all laws.
__attribute__((noinline)) void encode_one(DType dtype, float value, void* out) {
  with_format(dtype, [&](auto format) {
    using Format = typename decltype(format)::Type;
    *static_cast<typename Format::Element*>(out) = Format::code(value);
  });
}

// Whole groups of values that a law has left in memory, which may be beyond the dtype's finite range.
__attribute__((noinline)) void encode_groups(DType dtype, const float* values, std::uint64_t count,
                                             void* out) {
  with_format(dtype, [&](auto format) {
    using Format = typename decltype(format)::Type;
    auto* codes = static_cast<typename Format::Element*>(out);
    const F32 limit = splat(finite_limit(dtype));
    for (std::uint64_t at = 0; at < count; at += kGroupWords) {
      F32 v[kGroupVectors];
      for (int i = 0; i < kGroupVectors; ++i) {
        v[i] = load(values + at + i * kLanes);
        if (Format::kSaturates) v[i] = within(v[i], limit);
      }
      for (int i = 0; i < kGroupVectors; i += Format::kStep)
        Format::put(codes + at + i * kLanes, v + i, false);
    }
  });
}

// Any number of values; the array that they are in has room for whole groups.
__attribute__((noinline)) void encode(DType dtype, float* values, std::uint64_t count, char* out) {
  const std::uint64_t size = element_size(dtype), whole = count / kGroupWords * kGroupWords;
  encode_groups(dtype, values, whole, out);
  if (whole == count) return;
  alignas(64) char codes[kGroupWords * sizeof(float)];
  for (std::uint64_t i = count; i < whole + kGroupWords; ++i) values[i] = 0.0f;
  encode_groups(dtype, values + whole, kGroupWords, codes);
  copy_elements(out + whole * size, codes, (count - whole) * size);
}

}  // namespace
}  // namespace fanfill
