// The table's functions: each picks the law and the format that a plan names and runs the row of them.
// It must not know any instruction set; the lanes that are included before it decide that.
#pragma once

#include "arange_row.hpp"
#include "environment.hpp"
#include "row64.hpp"
#include "rows.hpp"

namespace fanfill {
namespace {

template <class Format, class Do>
FANFILL_INLINE void with_law(const LawPlan& plan, Do run) {
  switch (plan.transform) {
    case Transform::kUniform:
      return run(Is<UniformLaw>{});
    case Transform::kUniformSymmetric:
      return run(Is<SymmetricUniformLaw>{});
    case Transform::kNormal:
      return run(Is<NormalLaw<false, Format::kSaturates, true>>{});
    case Transform::kTruncatedSymmetric:
      if (plan.deep) return run(Is<NormalLaw<true, true, true>>{});
      if (Format::kExact && plan.within) return run(Is<NormalLaw<true, false, false>>{});
      return run(Is<NormalLaw<true, true, false>>{});
    case Transform::kTruncatedSides:
      return run(Is<SidesLaw>{});
    case Transform::kLogUniform:
      return run(Is<LogUniformLaw>{});
    default:
      return run(Is<WideLaw>{});
  }
}

template <class Do>
FANFILL_INLINE void with_law64(Transform transform, Do run) {
  switch (transform) {
    case Transform::kUniform:
      return run(Is<UniformLaw64>{});
    case Transform::kUniformSymmetric:
      return run(Is<SymmetricUniformLaw64>{});
    case Transform::kNormal:
      return run(Is<NormalLaw64<false>>{});
    case Transform::kTruncatedSymmetric:
      return run(Is<NormalLaw64<true>>{});
    case Transform::kLogUniform:
      return run(Is<LogUniformLaw64>{});
    default:
      return run(Is<WideLaw64>{});
  }
}

// Values before they are rounded: of a law's variants the one for every dtype. Narrow bounds that another
// meets by itself it keeps; what only the finite range of a dtype asks for is left to the rounding.
struct EveryFormat {
  static constexpr bool kSaturates = false;
  static constexpr bool kExact = false;
};

DrawBlocks draw_of(const LawPlan& plan) {
  DrawBlocks draw = nullptr;
  if (plan.dtype == DType::kFloat64)
    with_law64(plan.transform, [&](auto law) {
      using Law = typename decltype(law)::Type;
      if constexpr (Law::kFused) draw = draw_blocks64<Law>;
    });
  else
    with_law<EveryFormat>(plan, [&](auto law) {
      using Law = typename decltype(law)::Type;
      if constexpr (Law::kFused) draw = draw_blocks<Law>;
    });
  return draw;
}

template <class Element>
void fill_constant(const LawPlan& plan, const RowJob& job) {
  const Element code = static_cast<Element>(plan.constant_bits);
  char* out = static_cast<char*>(job.out);
  if (job.byte_stride == static_cast<std::int64_t>(sizeof(Element))) {
    Element* flat = static_cast<Element*>(job.out);
    for (std::uint64_t i = 0; i < job.count; ++i) flat[i] = code;
  } else {
    for (std::uint64_t i = 0; i < job.count; ++i, out += job.byte_stride)
      *reinterpret_cast<Element*>(out) = code;
  }
}

inline void fill_constant_row(const LawPlan& plan, const RowJob& job) {
  switch (plan.dtype) {
    case DType::kFloat64:
      return fill_constant<std::uint64_t>(plan, job);
    case DType::kFloat32:
      return fill_constant<std::uint32_t>(plan, job);
    case DType::kBFloat16:
    case DType::kFloat16:
      return fill_constant<std::uint16_t>(plan, job);
    default:
      return fill_constant<std::uint8_t>(plan, job);
  }
}

template <class Do>
FANFILL_INLINE void with_arange(const LawPlan& plan, Do run) {
  if (plan.dtype == DType::kFloat64) return run(ArangeCodes64{plan});
  with_format(plan.dtype, [&](auto format) { run(ArangeCodes<typename decltype(format)::Type>{plan}); });
}

void fill_each_row(const LawPlan& plan, const RowJob& common, const RowPlaces* places, std::size_t count);

void fill_rows(const LawPlan& plan, const RowJob& common, const RowPlaces* places, std::size_t count) {
  const Environment environment;
  const bool has_words = plan.transform != Transform::kConstant && plan.transform != Transform::kArange;
  const DrawBlocks draw = has_words ? draw_of(plan) : nullptr;
  if (draw == nullptr) return fill_each_row(plan, common, places, count);
  switch (element_size(plan.dtype)) {
    case 8:
      return fill_rows_of<double>(plan, draw, common, places, count);
    case 4:
      return fill_rows_of<float>(plan, draw, common, places, count);
    case 2:
      return fill_rows_of<std::uint16_t>(plan, draw, common, places, count);
    default:
      return fill_rows_of<std::uint8_t>(plan, draw, common, places, count);
  }
}

void fill_row(const LawPlan& plan, const RowJob& job) {
  const Environment environment;
  if (plan.transform == Transform::kConstant) return fill_constant_row(plan, job);
  if (plan.transform == Transform::kArange)
    return with_arange(plan, [&](auto codes) { fill_arange_row(codes, job); });
  if (plan.dtype == DType::kFloat64)
    return with_law64(plan.transform, [&](auto law) {
      using Law = typename decltype(law)::Type;
      if constexpr (Law::kFused)
        fill_row64_fused<Law>(plan, job);
      else
        fill_row64_single<Law>(plan, job);
    });
  with_format(plan.dtype, [&](auto format) {
    using Format = typename decltype(format)::Type;
    with_law<Format>(plan, [&](auto law) {
      using Law = typename decltype(law)::Type;
      if constexpr (Law::kFused && kIsSeldom<Law> && !Format::kExact)
        fill_row_rounded<Law, typename Format::Element>(plan, job);
      else if constexpr (Law::kFused)
        fill_row_fused<Law, Format>(plan, job);
      else
        fill_row_single<Law>(plan, job);
    });
  });
}

// Laws for which a row is no dearer the shorter it is.
void fill_each_row(const LawPlan& plan, const RowJob& common, const RowPlaces* places, std::size_t count) {
  RowJob job = common;
  for (const RowPlaces* rows = places; rows != places + count; ++rows) {
    job.start = rows->start;
    job.count = rows->count;
    job.out = rows->out;
    for (std::uint64_t i = 0; i < rows->rows; ++i) {
      fill_row(plan, job);
      job.start += rows->index_step;
      job.out = static_cast<char*>(job.out) + rows->byte_step;
    }
  }
}

void transform(const LawPlan& plan, const void* words, const void* tails, std::size_t count, void* out) {
  const Environment environment;
  if (plan.transform == Transform::kConstant) {
    RowJob job{
        0, 0, 0, count, out, static_cast<std::int64_t>(element_size(plan.dtype)), StorePolicy::kOrdinary};
    return fill_constant_row(plan, job);
  }
  if (plan.transform == Transform::kArange)  // of indices
    return with_arange(plan, [&](auto codes) { transform_indices(codes, words, count, out); });
  if (plan.dtype == DType::kFloat64)
    return with_law64(plan.transform, [&](auto law) {
      transform_words64<typename decltype(law)::Type>(plan, static_cast<const std::uint64_t*>(words), count,
                                                      static_cast<double*>(out));
    });
  with_law<EveryFormat>(plan, [&](auto law) {
    transform_words<typename decltype(law)::Type>(plan, static_cast<const std::uint32_t*>(words),
                                                  static_cast<const std::uint32_t*>(tails), count,
                                                  static_cast<char*>(out));
  });
}

void raw_words(std::uint64_t seed, std::uint64_t stream, std::uint64_t domain, std::uint64_t start,
               std::size_t count, std::uint32_t* out) {
  WordSource source;
  open(source, seed, stream, domain | start >> 2);
  alignas(64) std::uint32_t words[kGroupWords];
  for (std::uint64_t at = start; count > 0;) {  // by what is left: the last word has no end in 64 bits
    const std::size_t skipped = at & 3;
    const std::size_t n = count < kGroupWords - skipped ? count : kGroupWords - skipped;
    write_group_words(source, domain | at >> 2, words);
    copy_elements(out, words + skipped, n);
    out += n;
    at += n;
    count -= n;
  }
}

// The converters by themselves. A NaN, which no law makes, becomes the lowest finite value.
void round_to(DType dtype, const float* values, std::size_t count, void* out) {
  const Environment environment;
  const F32 low = splat(-finite_limit(dtype)), high = splat(finite_limit(dtype));
  const std::size_t size = element_size(dtype);
  alignas(64) float in[kGroupWords] = {};
  for (std::size_t at = 0; at < count; at += kGroupWords) {
    const std::size_t n = count - at < kGroupWords ? count - at : kGroupWords;
    copy_elements(in, values + at, n);
    for (int i = 0; i < kGroupWords; i += kLanes)
      store_f32(in + i, minimum(maximum(load(in + i), low), high), false);
    encode(dtype, in, n, static_cast<char*>(out) + at * size);
  }
}

constexpr KernelTable make_table(const char* name) {
  return {name, fill_row, fill_rows, fence, transform, raw_words, round_to};
}

}  // namespace
}  // namespace fanfill
