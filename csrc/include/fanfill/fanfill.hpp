// The public C++ interface of fanfill: what a caller may ask of the core, in one page.
// It must not know Python, strings, layouts or fans, nor how a kernel makes a value.
#pragma once

#include <cstddef>
#include <cstdint>

namespace fanfill {

// The version of the value contract (docs/contract.md). Equal versions give equal bits.
inline constexpr int kContractVersion = 1;

enum class DType : std::uint8_t { kFloat64, kFloat32, kBFloat16, kFloat16, kFloat8E4M3, kFloat8E5M2 };
inline constexpr int kDTypeCount = 6;

enum class LawKind : std::uint8_t { kConstant, kUniform, kNormal, kTruncatedNormal, kLogUniform, kArange };
inline constexpr int kLawKindCount = 6;

// Whether the bounds of a truncated normal are values, or multiples of std around mean.
enum class BoundUnit : std::uint8_t { kAbsolute, kSigma };

// What a log-uniform's or an arange's value goes through before it is rounded to the dtype.
enum class ValueMap : std::uint8_t { kIdentity, kLog, kInverseSoftplus };
inline constexpr int kValueMapCount = 3;

// A law by its parameters, all float64. Members that a kind does not name are ignored.
struct Law {
  LawKind kind = LawKind::kConstant;
  double mean = 0.0;  // constant: the value; normal and truncated normal: the mean
  double std = 0.0;   // normal and truncated normal, before truncation
  double low = 0.0;   // uniform: a of [a, b); truncated normal and log-uniform: lower bound; arange: start
  double high = 0.0;  // uniform: b of [a, b); truncated normal and log-uniform: upper bound
  BoundUnit unit = BoundUnit::kAbsolute;
  bool correct_variance = false;       // std becomes that of the truncated law; symmetric sigma bounds only
  ValueMap map = ValueMap::kIdentity;  // log-uniform and arange
  double floor = 0.0;                  // log-uniform: what would be less becomes this, before the map
  double step = 0.0;                   // arange: element i is low + step (i mod period), before the map
  std::uint64_t period = 0;            // arange: 1 .. 2^53
};

// `count` consecutive indices of one dimension of the global tensor.
struct Run {
  std::uint64_t start = 0;
  std::uint64_t count = 0;
};

// One dimension: its global extent, the runs of global indices that the memory holds (ascending,
// disjoint, in the order in which the memory holds them), and the bytes from one held index to the next.
struct Axis {
  std::uint64_t extent = 0;
  std::int64_t byte_stride = 0;
  const Run* runs = nullptr;
  std::size_t run_count = 0;
};

// One tensor, or the part of it that this memory holds. Value i depends on the seed, the stream, the law,
// the dtype and the row-major index i in the global tensor alone.
struct Job {
  void* data = nullptr;  // the element at the first held index of every axis
  DType dtype = DType::kFloat32;
  Law law;
  std::uint64_t stream = 0;
  const Axis* axes = nullptr;  // outermost first
  std::size_t rank = 0;        // 0 is a scalar: one element, index 0
};

struct Options {
  std::uint64_t seed = 0;
  int threads = 1;  // upper limit, the caller included; >= 1
  // Asked on the calling thread at least every 50 ms; true stops the fill with kInterrupted.
  bool (*interrupted)(void* context) = nullptr;
  void* context = nullptr;
};

enum class Status : std::uint8_t {
  kOk,
  kInterrupted,     // some elements are written, each with its right value
  kNullData,        // memory with elements at address 0
  kMisaligned,      // address or stride not a multiple of the element size
  kBadRegion,       // a run outside its extent, runs out of order or overlapping
  kTooLarge,        // more than 2^62 elements in the global tensor
  kNotFinite,       // a parameter is NaN or infinite where it must not be
  kBadStd,          // std negative, or 10 std overflow, or std * 2^-31 subnormal in the law's arithmetic
  kBadMean,         // mean beyond the finite range of the law's arithmetic
  kEmptyInterval,   // low >= high, or no value of the dtype in the interval
  kBoundsTooFar,    // the interval lies beyond 37 sigma
  kNotSymmetric,    // correct_variance with other than symmetric sigma bounds
  kUnknownIsa,      // not a name of the table, or not built into this library
  kUnsupportedIsa,  // built, but this CPU or operating system lacks it
  kBadArgument,     // an enum out of range, threads < 1
  kTooNarrow,       // an interval so narrow or so near zero that its step would be subnormal
  kNotPositive,     // log-uniform or a map: a bound or an element is not above zero
};

// One English sentence, without a full stop, static storage.
const char* message(Status status) noexcept;

// Writes every element of the job(s). Validates all jobs before the first write: on any status but kOk and
// kInterrupted, nothing has been written. Jobs must not overlap in memory.
Status fill(const Job& job, const Options& options) noexcept;
Status fill_many(const Job* jobs, std::size_t job_count, const Options& options) noexcept;

// Has the pages of new memory made before they are written, on several threads and huge where the system
// offers them. Only of private anonymous memory; of other memory, and where the system refuses, none are
// made, and the answer is kOk all the same. No value changes.
Status make_pages(void* memory, std::size_t bytes, const Options& options) noexcept;

// Writes the values that `count` words give under a law: words to values, the law's transform alone.
// `words` are uint32 (uint64 for float64); `tails` are the domain-1 words of the same positions, same type.
// An arange takes no words: `words` are then the elements' indices.
// `isa` is a name from isa_name(), or null for the chosen one. Output is contiguous.
Status transform(const char* isa, const Law& law, DType dtype, const void* words, const void* tails,
                 std::size_t count, void* out) noexcept;

// What the words of a stream are for: each use has 2^64 of its own.
enum class Domain : std::uint8_t { kElements, kTails, kBitGenerator };

// Writes words start .. start + count of (seed, stream): the raw uint32 stream.
Status raw_words(const char* isa, std::uint64_t seed, std::uint64_t stream, std::uint64_t start,
                 std::size_t count, std::uint32_t* out, Domain domain = Domain::kElements) noexcept;

// Rounds float32 values to a narrower dtype exactly as the fills do (saturating, nearest even).
Status round_to(const char* isa, DType dtype, const float* values, std::size_t count, void* out) noexcept;

// Whether the law can be drawn in this dtype; what fill() would answer before writing.
Status check_law(const Law& law, DType dtype) noexcept;

// What a law turns into: its mean, std and bounds as float64 after unit, variance correction and map. A
// uniform law's mean is its middle; log-uniform and arange have neither mean nor std here.
struct LawFacts {
  double mean = 0.0;
  double std = 0.0;  // parameter of the underlying normal, after correction
  double low = 0.0;  // absolute bounds; -inf and inf where there are none
  double high = 0.0;
};
Status law_facts(const Law& law, LawFacts* facts) noexcept;

// The instruction sets: those built in, best first; the chosen one; forcing one by name.
std::size_t isa_count() noexcept;
const char* isa_name(std::size_t i) noexcept;  // null past the end
bool isa_supported(std::size_t i) noexcept;    // by this CPU and operating system
const char* chosen_isa(
    Status* status) noexcept;  // FANFILL_ISA or the best supported; null and kUnknownIsa / kUnsupportedIsa
Status choose_isa(const char* name) noexcept;  // null: back to the environment's or the best

}  // namespace fanfill
