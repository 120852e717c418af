// Random fills, over threads, instruction set, dtype, law, start, length, alignment, stride, cuts, tiles and
// the caller's floating-point environment, which must come back as it was: every element must have the bits
// that its word and tail word give through the plain C++ transform, and no other byte may change. It must not
// know how fills are cut, stored or shared out. `test_bit_matrix TUPLES SEED` tries more; the hash that it
// prints is the same of every build, compiler and machine.
#include <algorithm>
#include <cfenv>
#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <limits>
#include <vector>

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

#include "check.hpp"
#include "fanfill/fanfill.hpp"

namespace {

using fanfill_test::Choices;
constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr std::uint64_t kOne = 1;
constexpr std::uint64_t kExtent = kOne << 62;
constexpr int kThreads[] = {1, 2, 3, 5, 8, 16, 64};
constexpr std::uint64_t kStarts[] = {
    0,
    1,
    3,
    4,
    5,
    7,
    15,
    (kOne << 31) - 1,
    (kOne << 31) + 1,
    (kOne << 32) - 1,
    (kOne << 32) + 1,
    (kOne << 34) - 700,  // some groups before the block number's upper half changes
    (kOne << 34) - 3,
    (kOne << 34) + 5,
    kOne << 40,
    kExtent - (kOne << 22)};
constexpr std::uint64_t kLengths[] = {0, 1, 2, 3, 31, 32, 33, 63, 64, 65, 127, 128, 129, 4095, 4096, 4097};
constexpr std::int64_t kSteps[] = {1, 1, 1, 2, 3, 7, -1, -2};
constexpr std::size_t kParts[] = {1, 1, 1, 1, 2, 3, 4, 5, 7, 64};
constexpr std::uint64_t kLongLength =
    (kOne << 20) + 3;  // of one tuple in 256: beyond what one thread does alone
constexpr std::size_t kAlignment = 64;

struct Tuple {
  const char* isa;
  int threads;
  fanfill::DType dtype;
  int law;
  std::uint64_t start, length, seed, stream;
  std::size_t offset;     // elements from a cache line to the first one
  std::int64_t step;      // elements from one to the next
  std::size_t parts;      // shards that are filled one after the other
  std::uint64_t columns;  // 0: a vector; else a matrix of so many, cut both ways
  int mode;               // of kModes; one past them is flush to zero
};

constexpr int kModes[] = {FE_TONEAREST, FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO};
constexpr int kModeCount = 4;

// Sets a caller's environment, and puts back the usual one after it was found unchanged.
class CallersEnvironment {
 public:
  explicit CallersEnvironment(int mode) : mode_(mode) {
    if (mode < kModeCount) CHECK(std::fesetround(kModes[mode]) == 0);
#if defined(__x86_64__)
    if (mode == kModeCount) _mm_setcsr(_mm_getcsr() | 0x8040u);
    flushes_ = (_mm_getcsr() & 0x8040u) == 0x8040u;  // valgrind's processor can't
#endif
  }
  ~CallersEnvironment() {
    if (mode_ < kModeCount) CHECK(std::fegetround() == kModes[mode_]);
#if defined(__x86_64__)
    CHECK(((_mm_getcsr() & 0x8040u) == 0x8040u) == flushes_);
    _mm_setcsr(_mm_getcsr() & ~0x8040u);
#endif
    std::fesetround(FE_TONEAREST);
  }
  CallersEnvironment(const CallersEnvironment&) = delete;
  CallersEnvironment& operator=(const CallersEnvironment&) = delete;

 private:
  int mode_;
#if defined(__x86_64__)
  bool flushes_;
#endif
};

std::size_t size_of(fanfill::DType dtype) {
  return dtype == fanfill::DType::kFloat64   ? 8
         : dtype == fanfill::DType::kFloat32 ? 4
         : dtype <= fanfill::DType::kFloat16 ? 2
                                             : 1;
}

std::vector<fanfill::Law> laws() {
  using fanfill::BoundUnit;
  using fanfill::Law;
  using fanfill::LawKind;
  Law log_uniform{LawKind::kLogUniform, 0.0, 0.0, 1e-3, 0.1, BoundUnit::kAbsolute, false};
  log_uniform.map = fanfill::ValueMap::kInverseSoftplus;
  const auto truncated = [](double low, double high, bool correct) {
    return Law{LawKind::kTruncatedNormal, 0.0, 0.5, low, high, BoundUnit::kSigma, correct};
  };
  return {
      Law{LawKind::kNormal, 0.0, 1.0, 0.0, 0.0, BoundUnit::kAbsolute, false},
      Law{LawKind::kNormal, 0.5, 0.02, 0.0, 0.0, BoundUnit::kAbsolute, false},
      Law{LawKind::kUniform, 0.0, 0.0, -0.25, 0.75, BoundUnit::kAbsolute, false},
      Law{LawKind::kUniform, 0.0, 0.0, -0.05, 0.05, BoundUnit::kAbsolute, false},
      truncated(-2.0, 2.0, true),
      truncated(-8.0, 8.0, false),
      truncated(-1.0, kInfinity, false),
      truncated(10.0, 11.0, false),
      log_uniform,
      Law{LawKind::kConstant, 0.1, 0.0, 0.0, 0.0, BoundUnit::kAbsolute, false},
  };
}

template <class T, std::size_t kSize>
T one_of(const T (&list)[kSize], Choices& choose) {
  return list[choose.below(kSize)];
}

Tuple random_tuple(const std::vector<const char*>& isas, std::size_t law_count, std::uint64_t number,
                   Choices& choose) {
  Tuple t{};
  t.isa = isas[choose.below(isas.size())];
  t.threads = one_of(kThreads, choose);
  t.dtype = static_cast<fanfill::DType>(choose.below(fanfill::kDTypeCount));
  t.law = static_cast<int>(choose.below(law_count));
  t.start = choose.coin() ? one_of(kStarts, choose) : choose.below(kOne << (1 + choose.below(60)));
  t.length = choose.coin() ? one_of(kLengths, choose) : choose.below(1500);
  if (number % 256 == 255) t.length = kLongLength - choose.below(70);
  t.seed = choose.coin() ? choose.below(3) : fanfill_test::mix(choose.below(kOne << 40));
  t.stream = choose.coin() ? choose.below(3) : fanfill_test::mix(choose.below(kOne << 40));
  t.offset = choose.below(kAlignment / size_of(t.dtype));
  t.step = number % 256 == 255 ? 1 : one_of(kSteps, choose);
  t.parts = one_of(kParts, choose);
  if (t.length > 0 && choose.below(4) == 0) {
    t.columns = 1 + choose.below(std::min(t.length, std::uint64_t{300}));
    t.start = t.start / t.columns * t.columns;
    t.length = t.length / t.columns * t.columns;
  }
  t.mode = choose.coin() ? 0 : static_cast<int>(choose.below(kModeCount + 1));
  return t;
}

// What the elements must be: word by word through the plain transform.
std::vector<unsigned char> expected_bytes(const Tuple& t, const fanfill::Law& law) {
  const std::size_t n = static_cast<std::size_t>(t.length), size = size_of(t.dtype);
  const std::size_t words_each = t.dtype == fanfill::DType::kFloat64 ? 2 : 1;
  std::vector<std::uint32_t> words(n * words_each), tails(n * words_each);
  const std::uint64_t first = t.start * words_each;
  using fanfill::Domain;
  CHECK(fanfill::raw_words("scalar", t.seed, t.stream, first, words.size(), words.data()) ==
        fanfill::Status::kOk);
  CHECK(fanfill::raw_words("scalar", t.seed, t.stream, first, words.size(), tails.data(), Domain::kTails) ==
        fanfill::Status::kOk);
  std::vector<unsigned char> bytes(n * size);
  if (words_each == 1) {
    CHECK(fanfill::transform("scalar", law, t.dtype, words.data(), tails.data(), n, bytes.data()) ==
          fanfill::Status::kOk);
    return bytes;
  }
  std::vector<std::uint64_t> wide(n), none(n);  // low half first, whatever this machine's order of bytes
  for (std::size_t i = 0; i < n; ++i) wide[i] = words[2 * i] | std::uint64_t{words[2 * i + 1]} << 32;
  CHECK(fanfill::transform("scalar", law, t.dtype, wide.data(), none.data(), n, bytes.data()) ==
        fanfill::Status::kOk);
  return bytes;
}

// Fills rows and columns of a matrix; a vector is one row after the other of one column.
void fill_tile(const Tuple& t, const fanfill::Law& law, unsigned char* first, const fanfill::Run& rows,
               const fanfill::Run& columns) {
  const std::uint64_t width = t.columns == 0 ? 1 : t.columns;
  const std::int64_t byte_step = t.step * static_cast<std::int64_t>(size_of(t.dtype));
  const fanfill::Run row_run{t.start / width + rows.start, rows.count};
  const fanfill::Axis axes[] = {{kExtent / width, byte_step * static_cast<std::int64_t>(width), &row_run, 1},
                                {width, byte_step, &columns, 1}};
  fanfill::Job job;
  job.data = first + static_cast<std::int64_t>(rows.start * width + columns.start) * byte_step;
  job.dtype = t.dtype;
  job.law = law;
  job.stream = t.stream;
  job.axes = axes;
  job.rank = t.columns == 0 ? 1 : 2;
  fanfill::Options options;
  options.seed = t.seed;
  options.threads = t.threads;
  const CallersEnvironment environment(t.mode);
  CHECK(fanfill::fill(job, options) == fanfill::Status::kOk);
}

std::vector<std::uint64_t> random_cuts(std::uint64_t extent, std::size_t parts, Choices& choose) {
  std::vector<std::uint64_t> cuts{0, extent};
  for (std::size_t i = 1; i < parts; ++i) cuts.push_back(choose.below(extent + 1));
  std::sort(cuts.begin(), cuts.end());
  return cuts;
}

bool tuple_holds(const Tuple& t, const fanfill::Law& law, const std::vector<unsigned char>& expected,
                 Choices& choose) {
  const std::size_t size = size_of(t.dtype), n = static_cast<std::size_t>(t.length);
  const std::size_t step = static_cast<std::size_t>(t.step < 0 ? -t.step : t.step);
  const std::size_t margin = 2 * kAlignment;
  std::vector<unsigned char> memory(n * step * size + 4 * margin, 0xA5);
  const std::size_t skew = reinterpret_cast<std::uintptr_t>(memory.data()) % kAlignment;
  unsigned char* low = memory.data() + margin + (kAlignment - skew) % kAlignment + t.offset * size;
  unsigned char* first = t.step < 0 && n > 0 ? low + (n - 1) * step * size : low;

  const std::uint64_t width = t.columns == 0 ? 1 : t.columns;
  const std::vector<std::uint64_t> rows = random_cuts(t.length / width, t.parts, choose);
  const std::vector<std::uint64_t> columns =
      random_cuts(width, t.columns == 0 ? 1 : 1 + choose.below(3), choose);
  for (std::size_t i = 0; i + 1 < rows.size(); ++i)
    for (std::size_t k = 0; k + 1 < columns.size(); ++k)
      fill_tile(t, law, first, {rows[i], rows[i + 1] - rows[i]}, {columns[k], columns[k + 1] - columns[k]});

  std::vector<unsigned char> whole(memory.size(), 0xA5);
  unsigned char* there = whole.data() + (first - memory.data());
  for (std::size_t i = 0; i < n; ++i)
    std::memcpy(there + static_cast<std::int64_t>(i) * t.step * static_cast<std::int64_t>(size),
                expected.data() + i * size, size);
  return memory == whole;
}

void say(const Tuple& t) {
  std::fprintf(stderr,
               "mismatch: isa %s, threads %d, dtype %d, law %d, start %" PRIu64 ", length %" PRIu64
               ", seed %" PRIu64 ", stream %" PRIu64 ", offset %zu, step %lld, parts %zu, columns %" PRIu64
               ", mode %d\n",
               t.isa, t.threads, static_cast<int>(t.dtype), t.law, t.start, t.length, t.seed, t.stream,
               t.offset, static_cast<long long>(t.step), t.parts, t.columns, t.mode);
}

}  // namespace

int main(int argc, char** argv) {
  const std::uint64_t tuples = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 2000;
  const std::uint64_t seed = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1;
  std::vector<const char*> isas;
  for (std::size_t i = 0; i < fanfill::isa_count(); ++i)
    if (fanfill::isa_supported(i)) isas.push_back(fanfill::isa_name(i));
  const std::vector<fanfill::Law> all_laws = laws();
  std::uint64_t mismatches = 0, elements = 0, hash = 0xcbf29ce484222325u;
  for (std::uint64_t number = 0; number < tuples; ++number) {
    // The choice of the instruction set is the only one that may differ from one machine to another.
    Choices choose(fanfill_test::mix(seed) + number);
    const Tuple t = random_tuple(isas, all_laws.size(), number, choose);
    const fanfill::Law& law = all_laws[static_cast<std::size_t>(t.law)];
    CHECK(fanfill::choose_isa(t.isa) == fanfill::Status::kOk);
    const std::vector<unsigned char> expected = expected_bytes(t, law);
    for (const unsigned char byte : expected) hash = (hash ^ byte) * 0x100000001b3u;
    elements += t.length;
    if (tuple_holds(t, law, expected, choose)) continue;
    if (mismatches++ < 10) say(t);
  }
  std::printf("{\"tuples\": %" PRIu64 ", \"elements\": %" PRIu64 ", \"mismatches\": %" PRIu64
              ", \"hash\": \"%016" PRIx64 "\", \"compiler\": \"%s\", \"contract\": %d, \"isas\": [",
              tuples, elements, mismatches, hash, __VERSION__, fanfill::kContractVersion);
  for (std::size_t i = 0; i < isas.size(); ++i) std::printf("%s\"%s\"", i == 0 ? "" : ", ", isas[i]);
  std::printf("]}\n");
  return mismatches == 0 ? 0 : 1;
}
