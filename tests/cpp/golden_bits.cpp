// Prints a hash of the fill and of the transform of each law in each dtype, per instruction set, and fails
// where two sets differ; builds with other flags, compilers and machines must print the same hashes. It must
// not know how any value is made.
#include <algorithm>
#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "fanfill/fanfill.hpp"

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

struct NamedLaw {
  const char* name;
  fanfill::Law law;
};

struct NamedDType {
  const char* name;
  fanfill::DType dtype;
  std::size_t size;
};

constexpr NamedDType kDTypes[] = {
    {"float64", fanfill::DType::kFloat64, 8},          {"float32", fanfill::DType::kFloat32, 4},
    {"bfloat16", fanfill::DType::kBFloat16, 2},        {"float16", fanfill::DType::kFloat16, 2},
    {"float8_e4m3fn", fanfill::DType::kFloat8E4M3, 1}, {"float8_e5m2", fanfill::DType::kFloat8E5M2, 1},
};
static_assert(sizeof(kDTypes) / sizeof(kDTypes[0]) == fanfill::kDTypeCount, "every dtype is hashed");

fanfill::Law normal(double mean, double std) {
  fanfill::Law law;
  law.kind = fanfill::LawKind::kNormal;
  law.mean = mean;
  law.std = std;
  return law;
}

fanfill::Law uniform(double low, double high) {
  fanfill::Law law;
  law.kind = fanfill::LawKind::kUniform;
  law.low = low;
  law.high = high;
  return law;
}

fanfill::Law truncated(double mean, double std, double low, double high, fanfill::BoundUnit unit) {
  fanfill::Law law = normal(mean, std);
  law.kind = fanfill::LawKind::kTruncatedNormal;
  law.low = low;
  law.high = high;
  law.unit = unit;
  return law;
}

fanfill::Law log_uniform(double low, double high, fanfill::ValueMap map, double floor) {
  fanfill::Law law = uniform(low, high);
  law.kind = fanfill::LawKind::kLogUniform;
  law.map = map;
  law.floor = floor;
  return law;
}

fanfill::Law arange(double start, double step, std::uint64_t period, fanfill::ValueMap map) {
  fanfill::Law law;
  law.kind = fanfill::LawKind::kArange;
  law.low = start;
  law.step = step;
  law.period = period;
  law.map = map;
  return law;
}

std::vector<NamedLaw> all_laws() {
  constexpr auto kSigma = fanfill::BoundUnit::kSigma;
  constexpr auto kAbsolute = fanfill::BoundUnit::kAbsolute;
  fanfill::Law constant;
  constant.mean = 0.1;
  fanfill::Law corrected = truncated(0.0, 0.05, -2.0, 2.0, kSigma);
  corrected.correct_variance = true;
  return {
      {"constant", constant},
      {"uniform", uniform(-0.1, 0.7)},
      {"uniform_symmetric", uniform(-0.037, 0.037)},
      {"normal", normal(0.0, 1.0)},
      {"normal_small", normal(0.0, 3e-5)},
      {"normal_mean", normal(0.5, 0.02)},
      {"truncated", truncated(0.0, 0.02, -2.0, 2.0, kSigma)},
      {"truncated_corrected", corrected},
      {"truncated_absolute", truncated(0.1, 0.7, -2.0, 2.0, kAbsolute)},
      {"truncated_one_sided", truncated(0.0, 1.0, 0.5, kInfinity, kSigma)},
      {"truncated_far", truncated(0.0, 1.0, 10.0, 11.0, kSigma)},
      {"truncated_very_far", truncated(0.0, 1.0, -30.0, -20.0, kSigma)},
      {"truncated_narrow", truncated(0.0, 1.0, 0.5, 0.625, kSigma)},
      {"log_uniform", log_uniform(1e-3, 0.1, fanfill::ValueMap::kIdentity, 0.0)},
      {"log_uniform_wide", log_uniform(0x1p-1022, 3e38, fanfill::ValueMap::kIdentity, 0.0)},
      {"log_uniform_of_softplus", log_uniform(1e-3, 300.0, fanfill::ValueMap::kInverseSoftplus, 1e-2)},
      {"arange", arange(0.75, -0.1, 1000, fanfill::ValueMap::kIdentity)},
      {"arange_log", arange(1.0, 1.0, 16, fanfill::ValueMap::kLog)},
  };
}

// FNV-1a, 64 bits.
std::uint64_t hash_bytes(const std::vector<unsigned char>& bytes, std::uint64_t hash = 0xcbf29ce484222325U) {
  for (const unsigned char byte : bytes) hash = (hash ^ byte) * 0x100000001b3U;
  return hash;
}

// A contiguous start, an unaligned length, a second region far out, and rows with a stride and more than one
// thread.
bool hash_fill(const NamedLaw& law, const NamedDType& dtype, std::uint64_t* hash) {
  struct Case {
    std::uint64_t start;
    std::uint64_t count;
    std::uint64_t rows;
    std::uint64_t step;  // elements from one to the next
    int threads;
  };
  constexpr Case kCases[] = {
      {0, 70001, 1, 1, 1}, {(std::uint64_t{1} << 40) - 3, 1021, 1, 1, 1}, {5, 4099, 33, 3, 2}};
  for (const Case& one : kCases) {
    const std::size_t row_elements = static_cast<std::size_t>(one.count * one.step);
    std::vector<unsigned char> memory(row_elements * one.rows * dtype.size, 0xa5);
    const fanfill::Run rows{0, one.rows};
    const fanfill::Run columns{one.start, one.count};
    const fanfill::Axis axes[] = {
        {one.rows, static_cast<std::int64_t>(row_elements * dtype.size), &rows, 1},
        {one.start + one.count + 2, static_cast<std::int64_t>(one.step * dtype.size), &columns, 1}};
    fanfill::Job job;
    job.data = memory.data();
    job.dtype = dtype.dtype;
    job.law = law.law;
    job.stream = 0x0123456789abcdefU;
    job.axes = axes;
    job.rank = 2;
    fanfill::Options options;
    options.seed = 0xfedcba9876543210U;
    options.threads = one.threads;
    if (fanfill::fill(job, options) != fanfill::Status::kOk) return false;
    *hash = hash_bytes(memory, *hash);
  }
  return true;
}

template <class Word>
std::vector<Word> edge_words() {
  constexpr int kBits = std::numeric_limits<Word>::digits;
  std::vector<Word> words;
  for (int bit = 0; bit < kBits; ++bit) {
    for (int offset = -2; offset <= 2; ++offset) {
      const Word word = static_cast<Word>((Word{1} << bit) + static_cast<Word>(offset));
      words.push_back(word);
      words.push_back(static_cast<Word>(~word));
      words.push_back(static_cast<Word>((Word{1} << (kBits - 1)) + word));
      words.push_back(static_cast<Word>((Word{1} << (kBits - 1)) - word));
    }
  }
  std::uint64_t state = 1;
  for (int i = 0; i < 20000; ++i) {
    state = state * 6364136223846793005U + 1442695040888963407U;
    words.push_back(static_cast<Word>(state >> (64 - kBits)));
  }
  return words;
}

template <class Word>
bool hash_transform(const char* isa, const NamedLaw& law, const NamedDType& dtype, std::uint64_t* hash) {
  const std::vector<Word> words = edge_words<Word>();
  std::vector<Word> tails(words.rbegin(), words.rend());
  std::vector<unsigned char> out(words.size() * dtype.size);
  const fanfill::Status status =
      fanfill::transform(isa, law.law, dtype.dtype, words.data(), tails.data(), words.size(), out.data());
  *hash = hash_bytes(out, *hash);
  return status == fanfill::Status::kOk;
}

// The line of one law and dtype, without the instruction set; empty on an unexpected error.
std::string golden_line(const char* isa, const NamedLaw& law, const NamedDType& dtype) {
  char line[160];
  const fanfill::Status status = fanfill::check_law(law.law, dtype.dtype);
  if (status != fanfill::Status::kOk) {
    std::snprintf(line, sizeof line, "%s %s refused_%d", law.name, dtype.name, static_cast<int>(status));
    return line;
  }
  std::uint64_t hash = hash_bytes({});
  const bool filled = hash_fill(law, dtype, &hash);
  const bool transformed = dtype.dtype == fanfill::DType::kFloat64
                               ? hash_transform<std::uint64_t>(isa, law, dtype, &hash)
                               : hash_transform<std::uint32_t>(isa, law, dtype, &hash);
  if (!filled || !transformed) return {};
  std::snprintf(line, sizeof line, "%s %s %016" PRIx64, law.name, dtype.name, hash);
  return line;
}

std::vector<std::string> golden_lines(const char* isa) {
  std::vector<std::string> lines;
  for (const NamedLaw& law : all_laws()) {
    for (const NamedDType& dtype : kDTypes) lines.push_back(golden_line(isa, law, dtype));
  }
  return lines;
}

}  // namespace

int main() {
  std::vector<std::string> first;
  bool good = true;
  for (std::size_t i = 0; i < fanfill::isa_count(); ++i) {
    if (!fanfill::isa_supported(i)) continue;
    const char* isa = fanfill::isa_name(i);
    good = good && fanfill::choose_isa(isa) == fanfill::Status::kOk;
    const std::vector<std::string> lines = golden_lines(isa);
    for (const std::string& line : lines) {
      std::printf("golden %s %s\n", isa, line.c_str());
      good = good && !line.empty();
    }
    if (first.empty()) first = lines;
    good = good && lines == first;
  }
  return good && !first.empty() ? 0 : 1;
}
