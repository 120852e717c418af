// The table of instruction sets, what this CPU supports, and which one is chosen.
// It must not know laws, regions or threads, nor what a kernel table's functions do.
#include "dispatch.hpp"

#include <atomic>
#include <cstdlib>
#include <cstring>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace fanfill {

extern const KernelTable kernel_table_scalar;
extern const KernelTable kernel_table_avx2;
extern const KernelTable kernel_table_avx512;
extern const KernelTable kernel_table_neon;

namespace {

bool always() noexcept { return true; }

#if defined(FANFILL_HAVE_AVX2) || defined(FANFILL_HAVE_AVX512)

constexpr bool has_all(std::uint64_t bits, std::uint64_t wanted) noexcept {
  return (bits & wanted) == wanted;
}

constexpr std::uint32_t bit(int i) noexcept { return std::uint32_t{1} << i; }

// The registers that the operating system saves: without its help a CPU's feature is unusable.
std::uint64_t saved_state() noexcept {
  std::uint32_t low = 0;
  std::uint32_t high = 0;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (std::uint64_t{high} << 32) | low;
}

struct Cpu {
  bool avx2 = false;
  bool avx512 = false;
};

// Names of bits: Intel's Software Developer's Manual, volume 2, CPUID; volume 1, 13.1 for the saved state.
Cpu read_cpu() noexcept {
  constexpr std::uint32_t kFma = bit(12), kOsxsave = bit(27), kAvx = bit(28), kF16c = bit(29);
  constexpr std::uint32_t kAvx2 = bit(5);
  constexpr std::uint32_t kAvx512F = bit(16), kAvx512Dq = bit(17), kAvx512Bw = bit(30), kAvx512Vl = bit(31);
  constexpr std::uint32_t kXmmYmm = bit(1) | bit(2);
  constexpr std::uint32_t kOpmaskZmm = bit(5) | bit(6) | bit(7);

  Cpu cpu;
  std::uint32_t eax = 0, ebx = 0, ecx = 0, edx = 0;
  if (__get_cpuid(1, &eax, &ebx, &ecx, &edx) == 0) return cpu;
  if (!has_all(ecx, kFma | kOsxsave | kAvx | kF16c)) return cpu;
  if (__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) == 0) return cpu;
  const std::uint64_t state = saved_state();
  cpu.avx2 = has_all(ebx, kAvx2) && has_all(state, kXmmYmm);
  cpu.avx512 =
      cpu.avx2 && has_all(ebx, kAvx512F | kAvx512Dq | kAvx512Bw | kAvx512Vl) && has_all(state, kOpmaskZmm);
  return cpu;
}

const Cpu& this_cpu() noexcept {
  static const Cpu cpu = read_cpu();
  return cpu;
}

#endif
#ifdef FANFILL_HAVE_AVX2
bool cpu_has_avx2() noexcept { return this_cpu().avx2; }
#endif
#ifdef FANFILL_HAVE_AVX512
bool cpu_has_avx512() noexcept { return this_cpu().avx512; }
#endif

struct Isa {
  const char* name;
  const KernelTable* table;
  bool (*is_supported)() noexcept;
};

// Best first. A new instruction set is one row here.
constexpr Isa kIsas[] = {
#ifdef FANFILL_HAVE_AVX512
    {"avx512", &kernel_table_avx512, cpu_has_avx512},
#endif
#ifdef FANFILL_HAVE_AVX2
    {"avx2", &kernel_table_avx2, cpu_has_avx2},
#endif
#ifdef FANFILL_HAVE_NEON
    {"neon", &kernel_table_neon, always},  // part of every 64-bit Arm, fma included
#endif
    {"scalar", &kernel_table_scalar, always},
};

constexpr std::size_t kIsaCount = sizeof(kIsas) / sizeof(kIsas[0]);

Status find_by_name(const char* name, const KernelTable** table) noexcept {
  for (const Isa& isa : kIsas) {
    if (std::strcmp(isa.name, name) != 0) continue;
    if (!isa.is_supported()) return Status::kUnsupportedIsa;
    *table = isa.table;
    return Status::kOk;
  }
  return Status::kUnknownIsa;
}

// FANFILL_ISA, or where it is unset or empty the best. A bad name is never passed over in silence: whoever
// sets it tests or measures that instruction set.
Status find_default(const KernelTable** table) noexcept {
  const char* name = std::getenv("FANFILL_ISA");
  if (name != nullptr && name[0] != '\0') return find_by_name(name, table);
  for (const Isa& isa : kIsas) {
    if (isa.is_supported()) {
      *table = isa.table;
      return Status::kOk;
    }
  }
  return Status::kUnsupportedIsa;
}

// The only mutable global of the core. Null until it is first needed. Whatever thread sets it points it at a
// constant, so no other memory needs an order.
std::atomic<const KernelTable*> g_chosen{nullptr};

}  // namespace

Status find_kernel_table(const char* isa, const KernelTable** table) noexcept {
  if (isa != nullptr) return find_by_name(isa, table);
  const KernelTable* chosen = g_chosen.load(std::memory_order_relaxed);
  if (chosen == nullptr) {
    const KernelTable* found = nullptr;
    const Status status = find_default(&found);
    if (status != Status::kOk) return status;
    // Another thread may have chosen meanwhile: then that choice stands, and `chosen` has become it.
    if (g_chosen.compare_exchange_strong(chosen, found, std::memory_order_relaxed)) chosen = found;
  }
  *table = chosen;
  return Status::kOk;
}

StreamingGain streaming_gain() noexcept {
#if defined(__x86_64__)
  static const StreamingGain gain = [] {
    std::uint32_t eax = 0, ebx = 0, ecx = 0, edx = 0;
    constexpr std::uint32_t kGenu = 0x756E6547, kIneI = 0x49656E69, kNtel = 0x6C65746E;
    constexpr std::uint32_t kAuth = 0x68747541, kEnti = 0x69746E65, kCamd = 0x444D4163, kZen5 = 0x1A;
    if (__get_cpuid(0, &eax, &ebx, &ecx, &edx) == 0) return StreamingGain{false, false};
    const bool is_intel = ebx == kGenu && edx == kIneI && ecx == kNtel;
    const bool is_amd = ebx == kAuth && edx == kEnti && ecx == kCamd;
    __get_cpuid(1, &eax, &ebx, &ecx, &edx);
    const std::uint32_t family = (eax >> 8 & 0xF) + (eax >> 20 & 0xFF);  // of AMD's since 2003
    return StreamingGain{is_intel, is_intel || (is_amd && family == kZen5)};
  }();
  return gain;
#else
  return {false, false};
#endif
}

std::size_t isa_count() noexcept { return kIsaCount; }

const char* isa_name(std::size_t i) noexcept { return i < kIsaCount ? kIsas[i].name : nullptr; }

bool isa_supported(std::size_t i) noexcept { return i < kIsaCount && kIsas[i].is_supported(); }

const char* chosen_isa(Status* status) noexcept {
  const KernelTable* table = nullptr;
  const Status found = find_kernel_table(nullptr, &table);
  if (status != nullptr) *status = found;
  if (found != Status::kOk) return nullptr;
  for (const Isa& isa : kIsas) {
    if (isa.table == table) return isa.name;
  }
  return nullptr;
}

Status choose_isa(const char* name) noexcept {
  const KernelTable* table = nullptr;
  if (name ==
      nullptr) {  // forgotten even where the environment names a bad one, which every fill then reports
    g_chosen.store(nullptr, std::memory_order_relaxed);
    return find_kernel_table(nullptr, &table);
  }
  const Status status = find_by_name(name, &table);
  if (status == Status::kOk) g_chosen.store(table, std::memory_order_relaxed);
  return status;
}

}  // namespace fanfill
