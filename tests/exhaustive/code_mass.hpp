// The exact mass of every code of a narrow dtype under a law: its words counted, tail words enumerated
// evenly. It must not know what the masses should be; the driver compares them with the normal distribution.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "index_set.hpp"
#include "named_law.hpp"
#include "report.hpp"
#include "sweep.hpp"

namespace fanfill_exhaustive {

// The lowest and the highest 2^16 indices are counted once for each of 2^tail_bits even tail words, every
// other word that many times at once.
inline constexpr std::uint32_t kTailIndices = 1u << 16;

template <class Code>
class CodeMass {
 public:
  static constexpr std::size_t kChunk = std::size_t{1} << 14;

  CodeMass(const NamedLaw& law, fanfill::DType dtype, const std::string& isa, int tail_bits, Report* report)
      : law_(law),
        dtype_(dtype),
        isa_(isa),
        tail_bits_(tail_bits),
        report_(report),
        mass_(std::size_t{1} << (8 * sizeof(Code))),
        words_(kChunk),
        tails_(kChunk, kTopBit<std::uint32_t>),
        codes_(kChunk),
        rounded_(kChunk),
        values_(kChunk) {
    rounded_once_ = report->declare("rounded_once");
  }

  // Counts one word in `every`, a power of two, weighed accordingly; tails are always whole.
  const std::vector<std::uint64_t>& run(std::uint64_t every) {
    const std::uint64_t end = std::uint64_t{1} << 32;
    for (std::uint64_t at = kTailIndices; at < end - kTailIndices; at += kChunk * every) {
      std::size_t n = 0;
      for (std::uint64_t i = at; n < kChunk && i < end - kTailIndices; i += every)
        words_[n++] = static_cast<std::uint32_t>(i + mix(i) % every) ^ kTopBit<std::uint32_t>;
      count(n, every << tail_bits_);
    }
    for (std::uint32_t i = 0; i < kTailIndices; ++i) {
      count_tails(i);
      count_tails(~i);
    }
    report_->text("law", law_.name);
    report_->text("isa", isa_);
    report_->count("inputs", inputs_);
    return mass_;
  }

 private:
  void count(std::size_t n, std::uint64_t weight) {
    draw_codes(isa_, law_.law, dtype_, words_.data(), tails_.data(), n, codes_.data());
    draw(isa_, law_.law, words_.data(), tails_.data(), n, values_.data());
    fanfill::round_to(isa_.c_str(), dtype_, values_.data(), n, rounded_.data());
    for (std::size_t i = 0; i < n; ++i) {
      if (rounded_[i] != codes_[i])
        report_->fail(rounded_once_, words_[i], static_cast<double>(values_[i]), isa_.c_str());
      mass_[codes_[i]] += weight;
    }
    inputs_ += n;
  }
  void count_tails(std::uint32_t index) {
    const std::size_t n = std::size_t{1} << tail_bits_;
    for (std::size_t i = 0; i < n; ++i) {
      words_[i] = index ^ kTopBit<std::uint32_t>;
      tails_[i] = static_cast<std::uint32_t>((2 * i + 1) << (31 - tail_bits_));
    }
    count(n, 1);
  }

  const NamedLaw& law_;
  fanfill::DType dtype_;
  std::string isa_;
  int tail_bits_;  // at most 14
  Report* report_;
  std::vector<std::uint64_t> mass_;
  std::vector<std::uint32_t> words_, tails_;
  std::vector<Code> codes_, rounded_;
  std::vector<float> values_;
  std::size_t rounded_once_ = 0;
  std::uint64_t inputs_ = 0;
};

}  // namespace fanfill_exhaustive
