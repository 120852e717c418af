// Prints what every operation of one lanes header gives on a fixed set of inputs, one result a line, in an
// order that does not depend on the number of lanes. It must not know what any instruction set should give.
#include FANFILL_LANES

#include <cinttypes>
#include <cstdio>
#include <vector>

#include "kernel/rounding.hpp"
#include "kernel/value.hpp"
#include "kernel/words.hpp"

namespace fanfill {
namespace {

constexpr std::size_t kCount = 4096;  // inputs of an operation: a multiple of four vectors of any header
constexpr std::size_t kWide = kLanes / 2;

template <class T>
using Inputs = std::vector<T>;

// SplitMix64 (Steele, Lea and Flood 2014).
std::uint64_t random_bits() {
  static std::uint64_t state = 1;
  std::uint64_t z = state += 0x9E3779B97F4A7C15u;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}

// A first and a second operand meet in every pair of edges; random inputs follow.
template <class T, class Random>
Inputs<T> mixed(const Inputs<T>& edges, bool is_second, Random random) {
  Inputs<T> inputs;
  for (std::size_t i = 0; i < edges.size() * edges.size(); ++i)
    inputs.push_back(edges[is_second ? i / edges.size() : i % edges.size()]);
  while (inputs.size() < kCount) inputs.push_back(random());
  return inputs;
}

Inputs<std::uint32_t> integers(bool is_second) {
  const Inputs<std::uint32_t> edges = {
      0u,          1u,          2u,          0xFFFFu,     0x10000u,    0xFFFFFFu,   0x1000001u,  0x1000003u,
      0x7FFFFFBFu, 0x7FFFFFC0u, 0x7FFFFFC1u, 0x7FFFFFFEu, 0x7FFFFFFFu, 0x80000000u, 0x80000001u, 0x80000040u,
      0x800000C0u, 0xFFFFFF7Fu, 0xFFFFFF80u, 0xFFFFFF81u, 0xFFFFFFFEu, 0xFFFFFFFFu};
  return mixed(edges, is_second, [] {
    const std::uint64_t bits = random_bits();
    return static_cast<std::uint32_t>(bits) >> (bits >> 59);  // of every magnitude
  });
}

// All finite, because a law makes no others; of every magnitude up to `limit`.
Inputs<float> floats(bool is_second, float limit) {
  Inputs<float> edges;
  for (const float v :
       {0.0f, 0x1p-149f, 0x1p-126f, 0x1.fffffep-127f, 1.0f, 0x1.000002p0f, 0x1.fffffep-1f, 1.5f, 0x1p-14f,
        0x1.ffcp-15f, 0x1p-24f, 0x1p-25f, 0x1.8p-25f, 0x1p-10f, 0x1.8p-9f, 0x1p-17f, limit})
    edges.insert(edges.end(), {v, -v});
  return mixed(edges, is_second, [limit] {
    for (;;) {
      const float v = float_of(static_cast<std::uint32_t>(random_bits()));
      if (v >= -limit && v <= limit) return v;
    }
  });
}

Inputs<double> doubles(bool is_second) {
  Inputs<double> edges;
  for (const double v : {0.0, 0x1p-1074, 0x1p-1022, 1.0, 0x1.0000000000001p0, 0x1.fffffffffffffp-1, 1.5,
                         0x1p53, 0x1p63, 0x1.fffffffffffffp1023})
    edges.insert(edges.end(), {v, -v});
  return mixed(edges, is_second, [] {
    for (;;) {
      const double v = double_of(random_bits());
      if (v - v == 0.0) return v;
    }
  });
}

// One in P of [2^lowest, 2^(lowest + octaves)): every octave's two pieces, their ends and the numbers
// between.
template <class T>
Inputs<T> quantile_arguments(int lowest, int octaves, T one_and_a_bit) {
  Inputs<T> inputs;
  T octave = 1;
  for (int e = 0; e < lowest; ++e) octave *= 2;
  for (int e = 0; e < octaves; ++e, octave *= 2)
    for (const T t : {T(1), one_and_a_bit, T(1.5), T(1.5) - (one_and_a_bit - 1), T(2) - (one_and_a_bit - 1)})
      inputs.push_back(octave * t);
  while (inputs.size() < kCount) {
    octave = 1;
    for (std::uint64_t e =
             random_bits() % static_cast<std::uint64_t>(octaves) + static_cast<std::uint64_t>(lowest);
         e > 0; --e)
      octave *= 2;
    inputs.push_back(octave * (1 + static_cast<T>(random_bits() >> 42) * T(0x1p-22)));
  }
  return inputs;
}

// -- Printing --------------------------------------------------------------------------------------------
void print(const char* name, std::size_t i, std::uint64_t result) {
  std::printf("%s %zu %" PRIx64 "\n", name, i, result);
}
std::uint64_t result_bits(float v) { return bits_of(v); }
std::uint64_t result_bits(double v) { return bits_of(v); }

void put(std::uint32_t* p, U32 v) { store(p, v); }
void put(float* p, F32 v) { store_f32(p, v, false); }
void put(double* p, F64 v) { store_f64(p, v, false); }
template <class T>
void print_vector(const char* name, std::size_t first, const T* results, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    if constexpr (sizeof(T) == 4 && T(1) / 2 == 0)
      print(name, first + i, results[i]);
    else
      print(name, first + i, result_bits(results[i]));
  }
}

// Results of type Out for each vector of inputs that op takes by its first index.
template <class Out, class Op>
void run(const char* name, std::size_t lanes, Op op) {
  Out results[64];
  for (std::size_t i = 0; i < kCount; i += lanes) {
    put(results, op(i));
    print_vector(name, i, results, lanes);
  }
}

// -- The operations --------------------------------------------------------------------------------------
void integer_operations() {
  const Inputs<std::uint32_t> x = integers(false), y = integers(true);
  const auto a = [&](std::size_t i) { return load(&x[i]); };
  const auto b = [&](std::size_t i) { return load(&y[i]); };
  using Out = std::uint32_t;
  run<Out>("load", kLanes, a);
  run<Out>("splat", kLanes, [&](std::size_t i) { return splat(x[i / 64 * 64]); });
  run<Out>("or", kLanes, [&](std::size_t i) { return operator_or(a(i), b(i)); });
  run<Out>("xor", kLanes, [&](std::size_t i) { return operator_xor(a(i), b(i)); });
  run<Out>("subtract", kLanes, [&](std::size_t i) { return subtract(a(i), b(i)); });
  run<Out>("absolute", kLanes, [&](std::size_t i) { return absolute(a(i)); });
  run<Out>("less_equal", kLanes, [&](std::size_t i) { return select(less_equal(a(i), b(i)), a(i), b(i)); });
  run<Out>("both", kLanes, [&](std::size_t i) {
    return select(both(less_equal(a(i), b(i)), less_equal(splat(0x10000u), a(i))), a(i), b(i));
  });
  run<Out>("all", kLanes, [&](std::size_t i) { return select(all_or_none(true), a(i), b(i)); });
  run<Out>("none", kLanes, [&](std::size_t i) { return select(all_or_none(false), a(i), b(i)); });
  run<float>("from_signed", kLanes, [&](std::size_t i) { return from_signed(a(i)); });
  run<float>("from_unsigned", kLanes, [&](std::size_t i) { return from_unsigned(a(i)); });
  // The middles of floats and what lies beside them; sums that cancel; a float64 that float32 rounds again.
  for (const double k : {0x1p-32, 0x1.999999999999ap-36, 0x1p-126, 0x1.fffffffffffffp95})
    for (const double m : {0.5, 0.0, -0.1, 0x1.0000010000001p0, 0x1p-53, 1e9})
      run<float>("fused_wide", kLanes, [&](std::size_t i) { return fused_wide(a(i), splat(k), splat(m)); });
}

void float_operations() {
  const float limit = 0x1.fffffep127f;
  const Inputs<float> x = floats(false, limit), y = floats(true, limit), z = floats(false, 1.5f);
  Inputs<float> near_product(kCount);  // where the fused sum cancels
  for (std::size_t i = 0; i < kCount; ++i) near_product[i] = -(y[i] * z[i]);
  const auto a = [&](std::size_t i) { return load(&x[i]); };
  const auto b = [&](std::size_t i) { return load(&y[i]); };
  const auto c = [&](std::size_t i) { return load(&z[i]); };
  run<float>("load f32", kLanes, a);
  run<float>("splat f32", kLanes, [&](std::size_t i) { return splat(x[i / 64 * 64]); });
  const Inputs<std::uint32_t> m = integers(false), n = integers(true);
  run<float>("select f32", kLanes,
             [&](std::size_t i) { return select(less_equal(load(&m[i]), load(&n[i])), a(i), b(i)); });
  run<float>("within", kLanes, [&](std::size_t i) { return within(a(i), splat(448.0f)); });
  run<float>("minimum f32", kLanes, [&](std::size_t i) { return minimum(a(i), b(i)); });
  run<float>("maximum f32", kLanes, [&](std::size_t i) { return maximum(a(i), b(i)); });
  run<float>("multiply f32", kLanes, [&](std::size_t i) { return multiply(a(i), b(i)); });
  run<float>("fused f32", kLanes, [&](std::size_t i) { return fused(b(i), c(i), a(i)); });
  run<float>("fused f32 near zero", kLanes,
             [&](std::size_t i) { return fused(b(i), c(i), load(&near_product[i])); });
}

// The same for every place in a batch, so that headers with batches of different sizes print the same.
void watches() {
  Window window;
  load_window(window);
  for (const float small : {1.0f, 65535.0f, 65536.0f, 0x1.fffffep16f, 131072.0f, 0x1p24f})
    for (int place = -1; place < kVectors * kLanes; ++place) {
      float values[kVectors * kLanes];
      for (float& value : values) value = 0x1p31f;
      if (place >= 0) values[place] = small;
      F32 p[kVectors], g[kVectors];
      for (int i = 0; i < kVectors; ++i) p[i] = load(values + i * kLanes);
      Watch watch;
      quantile(window, p, g, watch);
      if (seen(watch) != (place >= 0 && small < kSmallArgument))
        print("seen", static_cast<std::size_t>(place + 1), bits_of(small));
    }
}

void wide_operations() {
  const Inputs<std::uint32_t> words = integers(false);
  const auto w = [&](std::size_t i) { return pairs(load(&words[i * 2 % kCount])); };
  run<double>("from_signed64", kWide, [&](std::size_t i) { return from_signed64(w(i)); });
  run<double>("odd64", kWide, [&](std::size_t i) { return from_signed64(odd64(w(i))); });
  run<double>("from_upper", kWide, [&](std::size_t i) { return from_upper(w(i)); });
  run<double>("from_lower", kWide, [&](std::size_t i) { return from_lower(w(i)); });
  run<double>("tail64", kWide, [&](std::size_t i) { return from_signed64(tail64(odd64(w(i)))); });
  const Inputs<double> x = doubles(false), y = doubles(true);
  Inputs<double> small(kCount), near_product(kCount);
  for (std::size_t i = 0; i < kCount; ++i) {
    small[i] = static_cast<double>(static_cast<std::int64_t>(random_bits())) * 0x1p-63;
    near_product[i] = -(y[i] * small[i]);
  }
  const auto a = [&](std::size_t i) { return load(&x[i]); };
  const auto b = [&](std::size_t i) { return load(&y[i]); };
  const auto c = [&](std::size_t i) { return load(&small[i]); };
  run<double>("load f64", kWide, a);
  run<double>("splat f64", kWide, [&](std::size_t i) { return splat(x[i / 64 * 64]); });
  run<double>("minimum f64", kWide, [&](std::size_t i) { return minimum(a(i), b(i)); });
  run<double>("maximum f64", kWide, [&](std::size_t i) { return maximum(a(i), b(i)); });
  run<double>("add f64", kWide, [&](std::size_t i) { return add(a(i), b(i)); });
  run<double>("subtract f64", kWide, [&](std::size_t i) { return subtract(a(i), b(i)); });
  run<double>("multiply f64", kWide, [&](std::size_t i) { return multiply(a(i), b(i)); });
  run<double>("fused f64", kWide, [&](std::size_t i) { return fused(b(i), c(i), a(i)); });
  run<double>("fused f64 near zero", kWide,
              [&](std::size_t i) { return fused(b(i), c(i), load(&near_product[i])); });
  run<double>("fused_difference", kWide, [&](std::size_t i) { return fused_difference(b(i), c(i), a(i)); });
  run<double>("fused_difference near zero", kWide,
              [&](std::size_t i) { return fused_difference(b(i), c(i), multiply(b(i), c(i))); });
}

// n, and n up to its sign: printed without the sign, which is free.
void tails() {
  const Inputs<std::uint32_t> x = integers(false);
  for (std::size_t i = 0; i < kCount; i += kLanes) {
    float tail[kLanes];
    store_f32(tail, tail_up_to_sign(load(&x[i]), held(splat(1u)), held(splat(0x80000000u))), false);
    for (std::size_t k = 0; k < kLanes; ++k) print("tail_up_to_sign", i + k, bits_of(tail[k]) & 0x7FFFFFFFu);
  }
  for (std::size_t i = 0; i < kCount; i += kLanes) {
    float tail[kLanes];
    store_f32(tail, tail_of(load(&x[i]), held(splat(1u)), held(splat(0x80000000u))), false);
    for (std::size_t k = 0; k < kLanes; ++k) print("tail_of", i + k, bits_of(tail[k]));
  }
  const U64 one = held(splat_u64(1)), top = held(splat_u64(std::uint64_t{1} << 63));
  for (std::size_t i = 0; i < kCount; i += kLanes) {
    double tail[kWide];
    store_f64(tail, tail_up_to_sign64(pairs(load(&x[i])), one, top), false);
    for (std::size_t k = 0; k < kWide; ++k)
      print("tail_up_to_sign64", i / 2 + k, bits_of(tail[k]) & 0x7FFFFFFFFFFFFFFFu);
  }
}

void quantiles() {
  const Inputs<float> p = quantile_arguments<float>(16, 16, 0x1.000002p0f);
  Window window;
  load_window(window);
  for (std::size_t i = 0; i < kCount; i += kVectors * kLanes) {
    F32 arguments[kVectors], g[kVectors];
    for (std::size_t k = 0; k < kVectors; ++k) arguments[k] = load(&p[i + k * kLanes]);
    Watch watch;
    quantile(window, arguments, g, watch);
    for (std::size_t k = 0; k < kVectors; ++k) {
      float results[kLanes];
      put(results, g[k]);
      print_vector("quantile", i + k * kLanes, results, kLanes);
    }
  }
  Window64 window64;
  load_window64(window64);
  // A header may call the octaves below 2^56 outside; the kernels then look them up one by one.
  for (const double v : quantile_arguments<double>(50, 14, 0x1.0000000000001p0)) {
    F64 g0 = splat(0.0), g1 = g0;
    bool is_outside = false;
    double results[2][kLanes] = {};
    quantile64(window64, splat(v), splat(v), g0, g1, is_outside);
    put(results[0], g0);
    put(results[1], g1);
    for (const auto& half : results)
      print("quantile64", 0, result_bits(is_outside ? quantile64_of(v * 0x1p-63) : half[0]));
    if (is_outside && v >= 0x1p56) print("outside in spite of 2^56", 0, result_bits(v));
  }
  const Inputs<double> x = quantile_arguments<double>(56, 8, 0x1.0000000000001p0);
  for (const bool is_second : {false, true})
    run<double>("quantile64 of a vector", kWide, [&](std::size_t i) {
      F64 g[2];
      bool is_outside = true;
      quantile64(window64, load(&x[is_second ? 0 : i]), load(&x[is_second ? i : 0]), g[0], g[1], is_outside);
      return g[is_second];
    });
}

template <class Code, class Store>
void stores(const char* name, std::size_t vectors, float limit, Store store_codes) {
  const Inputs<float> x = floats(false, limit);
  for (const bool streaming : {false, true}) {
    alignas(64) Code codes[64];
    const std::size_t count = vectors * kLanes;
    for (std::size_t i = 0; i < kCount; i += count) {
      store_codes(codes, &x[i], streaming);
      fence();
      for (std::size_t k = 0; k < count; ++k) print(name, i + k, codes[k]);
    }
  }
}

void all_stores() {
  stores<std::uint32_t>("store_f32", 1, 0x1.fffffep127f,
                        [](std::uint32_t* p, const float* v, bool streaming) {
                          store_f32(reinterpret_cast<float*>(p), load(v), streaming);
                        });
  stores<std::uint16_t>("store_bf16", 2, 0x1.fep127f, [](std::uint16_t* p, const float* v, bool streaming) {
    store_bf16(p, load(v), load(v + kLanes), streaming);
  });
  stores<std::uint16_t>("store_f16", 2, 65504.0f, [](std::uint16_t* p, const float* v, bool streaming) {
    store_f16(p, load(v), load(v + kLanes), streaming);
  });
  stores<std::uint8_t>("store_f8 e4m3", 4, 448.0f, [](std::uint8_t* p, const float* v, bool streaming) {
    store_f8<3, 7>(p, load(v), load(v + kLanes), load(v + 2 * kLanes), load(v + 3 * kLanes), streaming);
  });
  stores<std::uint8_t>("store_f8 e5m2", 4, 57344.0f, [](std::uint8_t* p, const float* v, bool streaming) {
    store_f8<2, 15>(p, load(v), load(v + kLanes), load(v + 2 * kLanes), load(v + 3 * kLanes), streaming);
  });
  stores<std::uint64_t>("store_f64", 1, 1.0f, [](std::uint64_t* p, const float* v, bool streaming) {
    double wide[kLanes];
    for (int i = 0; i < kLanes; ++i) wide[i] = double{v[i]} * 0x1.fffffffffffffp0;
    for (std::size_t half = 0; half < 2; ++half)
      store_f64(reinterpret_cast<double*>(p) + half * kWide, load(wide + half * kWide), streaming);
  });
}

void write_shared_group(const WordSource& source, std::uint64_t block, std::uint32_t* words) {
  PhiloxState state;
  shared_rounds(state, source, Consecutive(source, block));
  for (int j = 0; j < kBatches; ++j) {
    U32 out[kVectors];
    last_round(state, source, j, out);
    for (int v = 0; v < kVectors; ++v) store(words + (j * kVectors + v) * kLanes, out[v]);
  }
}

// Philox's own operations, which only together have a meaning: 64 words by either way of the rounds. The
// blocks begin at multiples of 8; some sixteen cross the carry of the low half, inside a group or between
// two.
void philox_words() {
  const Inputs<std::uint32_t> seeds = integers(false), blocks = integers(true);
  for (std::size_t i = 0; i < 512; ++i) {
    const std::uint64_t seed = std::uint64_t{seeds[i]} << 32 | blocks[i], stream = random_bits();
    std::uint64_t first = (random_bits() << 32 | blocks[i]) & ~std::uint64_t{7};
    if (i % 8 == 0) first |= 0xFFFFFFF8u;
    std::uint32_t general[128], shared[128], listed[128];
    for (std::uint64_t block = 0; block < 16; block += kGroupBlocks) {
      WordSource source;
      open(source, seed, stream, first + block);
      write_group_words(source, first + block, general + block * 4);
      std::uint64_t group[kGroupBlocks];
      for (std::uint64_t k = 0; k < kGroupBlocks; ++k) group[k] = first + block + k;
      write_words_of(source, group, listed + block * 4);
      if (covers(source, first + block))
        write_shared_group(source, first + block, shared + block * 4);
      else
        write_group_words(source, first + block, shared + block * 4);
    }
    for (std::size_t k = 0; k < 64; ++k) print("words", k, general[k]);
    for (std::size_t k = 0; k < 64; ++k) print("words by shared rounds", k, shared[k]);
    for (std::size_t k = 0; k < 64; ++k) print("words of listed blocks", k, listed[k]);
  }
}

// Known answers from standard input, one a line as in tests/vectors/philox4x32_10.txt; prints what differs in
// each word of the output, so zeros.
void published_answers() {
  char line[256];
  for (std::size_t i = 0; std::fgets(line, sizeof line, stdin) != nullptr;) {
    std::uint32_t w[10];
    if (std::sscanf(line,
                    "%" SCNx32 " %" SCNx32 " %" SCNx32 " %" SCNx32 " %" SCNx32 " %" SCNx32 " %" SCNx32
                    " %" SCNx32 " %" SCNx32 " %" SCNx32,
                    w, w + 1, w + 2, w + 3, w + 4, w + 5, w + 6, w + 7, w + 8, w + 9) != 10)
      continue;
    const std::uint64_t block = std::uint64_t{w[1]} << 32 | w[0];
    WordSource source;
    open(source, std::uint64_t{w[5]} << 32 | w[4], std::uint64_t{w[3]} << 32 | w[2], block);
    std::uint32_t words[kGroupWords];
    write_group_words(source, block, words);
    for (std::size_t k = 0; k < 4; ++k, ++i) print("known answer", i, words[k] ^ w[6 + k]);
  }
}

}  // namespace
}  // namespace fanfill

int main() {
  fanfill::integer_operations();
  fanfill::float_operations();
  fanfill::watches();
  fanfill::wide_operations();
  fanfill::tails();
  fanfill::quantiles();
  fanfill::all_stores();
  fanfill::philox_words();
  fanfill::published_answers();
}
