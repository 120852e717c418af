// What the C++ tests state their expectations with: a check that holds in every build, that no thread is left
// behind, and reproducible choices. It must not know what is tested.
#pragma once

#if defined(__linux__)
#include <dirent.h>
#endif

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <thread>

// Unlike assert(), this is not compiled away where NDEBUG is set.
#define CHECK(condition)                                                                 \
  do {                                                                                   \
    if (!(condition)) {                                                                  \
      std::fprintf(stderr, "%s:%d: check failed: %s\n", __FILE__, __LINE__, #condition); \
      std::abort();                                                                      \
    }                                                                                    \
  } while (false)

namespace fanfill_test {

// Whether an emulator of user programs runs this, as CMakeLists.txt says: its memory and its forks are not
// those of the system that it imitates.
inline bool is_emulated() { return std::getenv("FANFILL_EMULATED") != nullptr; }

// When a test ends, so have the threads that it started, those too that came too late for their fill. On a
// busy machine one may still be on its way then, and what it holds would look like a leak.
class NoThreadLeft {
 public:
  NoThreadLeft() : before_(tasks()) {}
  NoThreadLeft(const NoThreadLeft&) = delete;
  NoThreadLeft& operator=(const NoThreadLeft&) = delete;
  ~NoThreadLeft() {
    for (int i = 0; tasks() > before_ + kOfSanitizer; ++i) {
      CHECK(i < 60'000);
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }

 private:
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define FANFILL_THREAD_SANITIZER
#endif
#endif
#if defined(__SANITIZE_THREAD__) || defined(FANFILL_THREAD_SANITIZER)
  static constexpr std::size_t kOfSanitizer = 1;  // started with the first other thread
#else
  static constexpr std::size_t kOfSanitizer = 0;
#endif
  // Those of an emulator among them.
  static std::size_t tasks() {
    std::size_t count = 0;
#if defined(__linux__)
    DIR* const folder = opendir("/proc/self/task");
    CHECK(folder != nullptr);
    while (const dirent* entry = readdir(folder)) count += entry->d_name[0] != '.' ? 1 : 0;
    closedir(folder);
#endif
    return count;
  }

  const std::size_t before_;
};
inline const NoThreadLeft g_no_thread_left;

// splitmix64 (Steele, Lea, Flood, 2014): enough for choosing test cases, and the same on every machine.
inline std::uint64_t mix(std::uint64_t x) {
  x += 0x9E3779B97F4A7C15u;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
  return x ^ (x >> 31);
}

class Choices {
 public:
  explicit Choices(std::uint64_t seed) : state_(mix(seed)) {}
  std::uint64_t below(std::uint64_t n) {
    state_ += 1;
    return mix(state_) % n;
  }
  bool coin() { return below(2) == 0; }

 private:
  std::uint64_t state_;
};

}  // namespace fanfill_test
