// The sweep: an ascending set of words through one law on several instruction sets, every value judged.
// It must not know which words are worth sweeping, nor how a value is made.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "index_set.hpp"
#include "named_law.hpp"
#include "report.hpp"

namespace fanfill_exhaustive {

template <class Word>
struct Arithmetic;
template <>
struct Arithmetic<std::uint32_t> {
  using Value = float;
  static constexpr fanfill::DType kDType = fanfill::DType::kFloat32;
  static constexpr const char* kName = "float32";
  static constexpr std::uint32_t kExponent = 0x7F800000u;
};
template <>
struct Arithmetic<std::uint64_t> {
  using Value = double;
  static constexpr fanfill::DType kDType = fanfill::DType::kFloat64;
  static constexpr const char* kName = "float64";
  static constexpr std::uint64_t kExponent = 0x7FF0000000000000u;
};

// Draws, and exits where the core refuses, because then nothing was shown.
inline void draw_codes(const std::string& isa, const fanfill::Law& law, fanfill::DType dtype,
                       const void* words, const void* tails, std::size_t count, void* out) {
  const fanfill::Status status = fanfill::transform(isa.c_str(), law, dtype, words, tails, count, out);
  if (status == fanfill::Status::kOk) return;
  std::fprintf(stderr, "%s: %s\n", isa.c_str(), fanfill::message(status));
  std::exit(2);
}

template <class Word>
void draw(const std::string& isa, const fanfill::Law& law, const Word* words, const Word* tails,
          std::size_t count, typename Arithmetic<Word>::Value* out) {
  draw_codes(isa, law, Arithmetic<Word>::kDType, words, tails, count, out);
}

// The value at an index, with the tail word in the middle.
template <class Word>
typename Arithmetic<Word>::Value value_at(const std::string& isa, const fanfill::Law& law, Word index,
                                          Word tail = kTopBit<Word>) {
  const Word word = index ^ kTopBit<Word>;
  typename Arithmetic<Word>::Value value{};
  draw(isa, law, &word, &tail, 1, &value);
  return value;
}

// The first index whose value reaches `bound`, or the last index, by bisection over the order of the values.
template <class Word>
Word first_at_least(const std::string& isa, const fanfill::Law& law, double bound) {
  Word low = 0, high = static_cast<Word>(~Word{0});
  while (low < high) {
    const Word middle = static_cast<Word>(low + (high - low) / 2);
    if (static_cast<double>(value_at(isa, law, middle)) >= bound)
      high = middle;
    else
      low = static_cast<Word>(middle + 1);
  }
  return low;
}

template <class Word>
class Sweep {
 public:
  using Value = typename Arithmetic<Word>::Value;
  static constexpr std::size_t kChunk = std::size_t{1} << 14;

  Sweep(const NamedLaw& law, const std::vector<std::string>& isas, Report* report)
      : law_(law),
        isas_(isas),
        report_(report),
        indices_(kChunk),
        words_(kChunk),
        tails_(kChunk, kTopBit<Word>),
        values_(kChunk),
        other_(kChunk) {
    finite_ = report->declare("finite");
    bounds_ = report->declare("bounds");
    monotone_ = report->declare("monotone");
    if (law.symmetric) mirror_ = report->declare("mirror");
    if (isas.size() > 1) equal_ = report->declare("equal_isas");
  }

  void run(IndexSet<Word> set) {
    while (const std::size_t n = set.next(indices_.data(), kChunk)) chunk(n);
    report_->text("law", law_.name);
    report_->text("dtype", Arithmetic<Word>::kName);
    report_->count("inputs", inputs_);
    report_->count("negative", negative_);
    // On a full sweep of a law of both signs the two are equal; on a part of the words this one still is
    // exact.
    report_->count("first_not_negative", first_at_least<Word>(isas_[0], law_.law, 0.0));
    report_->number("lowest", static_cast<double>(lowest_));
    report_->number("highest", static_cast<double>(highest_));
    report_->bits("hash", hash_);
  }

 private:
  void chunk(std::size_t n) {
    for (std::size_t i = 0; i < n; ++i) words_[i] = indices_[i] ^ kTopBit<Word>;
    draw(isas_[0], law_.law, words_.data(), tails_.data(), n, values_.data());
    if (inputs_ == 0) lowest_ = last_ = values_[0];
    if (!looks_right(n)) judge_each(n);
    for (std::size_t isa = 1; isa < isas_.size(); ++isa) compare(isas_[isa], n);
    if (law_.symmetric && indices_[0] < kTopBit<Word>) mirror(n);
    count(n);
    last_ = highest_ = values_[n - 1];
    inputs_ += n;
  }

  bool is_inside(Value v) const {
    const double x = static_cast<double>(v);
    return x >= law_.low && (law_.half_open ? x < law_.high : x <= law_.high);
  }
  static bool is_finite(Value v) {
    Word bits;
    std::memcpy(&bits, &v, sizeof bits);
    return (bits & Arithmetic<Word>::kExponent) != Arithmetic<Word>::kExponent;
  }

  // Where a chunk rises throughout, its ends are its bounds: one pass without branches.
  bool looks_right(std::size_t n) const {
    const Value* v = values_.data();
    Word falls = 0;
    for (std::size_t i = 1; i < n; ++i) falls |= static_cast<Word>(!(v[i - 1] <= v[i]));
    return falls == 0 && last_ <= v[0] && is_finite(v[0]) && is_finite(v[n - 1]) && is_inside(v[0]) &&
           is_inside(v[n - 1]);
  }
  void judge_each(std::size_t n) {
    Value previous = last_;
    for (std::size_t i = 0; i < n; ++i) {
      const Value v = values_[i];
      const double x = static_cast<double>(v);
      if (!is_finite(v)) report_->fail(finite_, words_[i], x, isas_[0].c_str());
      if (!is_inside(v)) report_->fail(bounds_, words_[i], x, isas_[0].c_str());
      if (!(previous <= v)) report_->fail(monotone_, words_[i], x, isas_[0].c_str());
      previous = v;
    }
  }
  void compare(const std::string& isa, std::size_t n) {
    draw(isa, law_.law, words_.data(), tails_.data(), n, other_.data());
    if (std::memcmp(values_.data(), other_.data(), n * sizeof(Value)) == 0) return;
    for (std::size_t i = 0; i < n; ++i) {
      if (std::memcmp(&values_[i], &other_[i], sizeof(Value)) != 0)
        report_->fail(equal_, words_[i], static_cast<double>(other_[i]), isa.c_str());
    }
  }
  void mirror(std::size_t n) {
    for (std::size_t i = 0; i < n; ++i) words_[i] = static_cast<Word>(~words_[i]);
    draw(isas_[0], law_.law, words_.data(), tails_.data(), n, other_.data());
    Word differs = 0;
    for (std::size_t i = 0; i < n; ++i) differs |= difference(i);
    for (std::size_t i = 0; differs != 0 && i < n; ++i) {
      if (difference(i) != 0)
        report_->fail(mirror_, words_[i], static_cast<double>(other_[i]), isas_[0].c_str());
    }
  }
  Word difference(std::size_t i) const {
    Word a, b;
    std::memcpy(&a, &values_[i], sizeof a);
    std::memcpy(&b, &other_[i], sizeof b);
    return static_cast<Word>(a ^ b ^ kTopBit<Word>);
  }
  // FNV-1a over the bits, a word at a time, so that runs on other machines can be compared.
  void count(std::size_t n) {
    std::uint64_t hash = hash_, negative = 0;
    for (std::size_t i = 0; i < n; ++i) {
      Word bits;
      std::memcpy(&bits, &values_[i], sizeof bits);
      hash = (hash ^ bits) * 0x100000001B3u;
      negative += values_[i] < Value{0} ? 1 : 0;
    }
    hash_ = hash;
    negative_ += negative;
  }

  const NamedLaw& law_;
  const std::vector<std::string>& isas_;
  Report* report_;
  std::vector<Word> indices_, words_, tails_;
  std::vector<Value> values_, other_;
  std::size_t finite_ = 0, bounds_ = 0, monotone_ = 0, mirror_ = 0, equal_ = 0;
  std::uint64_t inputs_ = 0, negative_ = 0, hash_ = 0xCBF29CE484222325u;
  Value last_ = 0, lowest_ = 0, highest_ = 0;
};

}  // namespace fanfill_exhaustive
