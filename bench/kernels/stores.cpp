// The limits that any fill meets: libc's memset, plain loops of stores, and the core's clock.
// It must not know laws, dtypes or rivals.
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>

#ifdef __x86_64__
#include <immintrin.h>
#endif

namespace {

// What the compiler can't see it can't leave out.
void touch(void* memory) { __asm__ volatile("" : : "r"(memory) : "memory"); }

#ifdef __x86_64__

__attribute__((target("avx512f"))) void store512(char* out, std::size_t bytes) {
  const __m512i v = _mm512_set1_epi32(0x3F800000);
  for (std::size_t i = 0; i + 256 <= bytes; i += 256) {
    _mm512_store_si512(out + i, v);
    _mm512_store_si512(out + i + 64, v);
    _mm512_store_si512(out + i + 128, v);
    _mm512_store_si512(out + i + 192, v);
    touch(out);  // or it becomes a call of memset
  }
}

__attribute__((target("avx512f"))) void stream512(char* out, std::size_t bytes) {
  const __m512i v = _mm512_set1_epi32(0x3F800000);
  for (std::size_t i = 0; i + 256 <= bytes; i += 256) {
    for (std::size_t j = 0; j < 256; j += 64) _mm512_stream_si512(reinterpret_cast<__m512i*>(out + i + j), v);
  }
  _mm_sfence();
}

__attribute__((target("avx2"))) void store256(char* out, std::size_t bytes) {
  const __m256i v = _mm256_set1_epi32(0x3F800000);
  for (std::size_t i = 0; i + 128 <= bytes; i += 128) {
    for (std::size_t j = 0; j < 128; j += 32) _mm256_store_si256(reinterpret_cast<__m256i*>(out + i + j), v);
    touch(out);
  }
}

__attribute__((target("avx2"))) void stream256(char* out, std::size_t bytes) {
  const __m256i v = _mm256_set1_epi32(0x3F800000);
  for (std::size_t i = 0; i + 128 <= bytes; i += 128) {
    for (std::size_t j = 0; j < 128; j += 32) _mm256_stream_si256(reinterpret_cast<__m256i*>(out + i + j), v);
  }
  _mm_sfence();
}

#endif

constexpr int kAddsPerTurn = 64;

// Each addition waits for the one before, and a register operand can't be folded away: one cycle each.
std::uint64_t add_chain(int turns) {
  std::uint64_t sum = 1;
  const std::uint64_t one = 1;
  for (int i = 0; i < turns; ++i) {
#if defined(__x86_64__)
    __asm__ volatile(".rept 64\n\tadd %1, %0\n\t.endr" : "+r"(sum) : "r"(one) : "cc");
#elif defined(__aarch64__)
    __asm__ volatile(".rept 64\n\tadd %0, %0, %1\n\t.endr" : "+r"(sum) : "r"(one));
#endif
  }
  return sum;
}

}  // namespace

extern "C" {

void bench_memset(void* out, std::size_t bytes, int repeat) {
  for (int i = 0; i < repeat; ++i) {
    std::memset(out, i + 1, bytes);
    touch(out);
  }
}

// Loops of vector stores; `out` is aligned to 64 bytes, `bytes` a multiple of 256. False where this CPU has
// none.
bool bench_store(void* out, std::size_t bytes, bool streaming, int repeat) {
#ifdef __x86_64__
  char* const to = static_cast<char*>(out);
  const bool is_wide = __builtin_cpu_supports("avx512f");
  if (!is_wide && !__builtin_cpu_supports("avx2")) return false;
  for (int i = 0; i < repeat; ++i) {
    if (is_wide)
      streaming ? stream512(to, bytes) : store512(to, bytes);
    else
      streaming ? stream256(to, bytes) : store256(to, bytes);
    touch(out);
  }
  return true;
#else
  static_cast<void>(out), static_cast<void>(bytes), static_cast<void>(streaming), static_cast<void>(repeat);
  return false;
#endif
}

// The highest clock in hertz that any of `chains` dependent chains shows: each takes some 20 microseconds, so
// that most run between two interruptions.
double bench_clock(int chains) {
  constexpr int kTurns = 1024;
  std::int64_t shortest = INT64_MAX;
  for (int i = 0; i < chains; ++i) {
    const auto start = std::chrono::steady_clock::now();
    std::uint64_t sum = add_chain(kTurns);
    touch(&sum);
    const std::chrono::nanoseconds took = std::chrono::steady_clock::now() - start;
    if (took.count() < shortest) shortest = took.count();
  }
  return 1e9 * kTurns * kAddsPerTurn / static_cast<double>(shortest);
}

}  // extern "C"
