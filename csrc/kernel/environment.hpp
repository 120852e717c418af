// The floating-point environment of a kernel: to nearest even, subnormals kept; the caller's is put back.
// It must not know what is computed meanwhile, which must happen in a function that is not inlined here.
#pragma once

#include <cstdint>

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace fanfill {
namespace {

class Environment {
 public:
#if defined(__x86_64__)
  Environment() : saved_(_mm_getcsr()) { _mm_setcsr(0x1F80); }  // all exceptions masked, nothing else set
  ~Environment() { _mm_setcsr(saved_); }

 private:
  unsigned saved_;
#elif defined(__aarch64__)
  Environment() {
    __asm__ volatile("mrs %0, fpcr" : "=r"(saved_));
    __asm__ volatile("msr fpcr, %0" : : "r"(std::uint64_t{0}));
  }
  ~Environment() { __asm__ volatile("msr fpcr, %0" : : "r"(saved_)); }

 private:
  std::uint64_t saved_;
#else
#error "fanfill knows the floating-point environment of x86-64 and AArch64 only"
#endif

 public:
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;
};

}  // namespace
}  // namespace fanfill
