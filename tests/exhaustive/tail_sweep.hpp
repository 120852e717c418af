// The sweep of tail words: the indices that take them, the switch to those that don't, and how far they
// reach. It must not know how an index and a tail word become a probability, only that the order must hold.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "named_law.hpp"
#include "report.hpp"
#include "sweep.hpp"

namespace fanfill_exhaustive {

class TailSweep {
 public:
  static constexpr std::uint32_t kIndices = 1u << 16;  // the indices from either end that take tail words
  static constexpr std::uint32_t kTop = ~std::uint32_t{0};
  static constexpr std::size_t kChunk = std::size_t{1} << 14;

  TailSweep(const NamedLaw& law, const std::vector<std::string>& isas, Report* report)
      : law_(law),
        isas_(isas),
        report_(report),
        words_(kChunk),
        tails_(kChunk),
        values_(kChunk),
        other_(kChunk) {
    monotone_ = report->declare("tail_monotone");
    switch_ = report->declare("tail_switch");
    limit_ = report->declare("tail_limit");
    if (law.symmetric) mirror_ = report->declare("tail_mirror");
    if (isas.size() > 1) equal_ = report->declare("tail_equal_isas");
  }

  // 2^bits tail words each of the outermost and the innermost index that take them.
  void run(int bits) {
    if (law_.deep_low) side(0u, bits);
    // Where the law is symmetric the other side is covered as the mirror of this one.
    if (law_.deep_high && !law_.symmetric) side(kTop, bits);
    report_->text("law", law_.name);
    report_->text("dtype", "float32");
    report_->count("inputs", inputs_);
    if (law_.deep_low) report_->number("reach_low", static_cast<double>(at(0u, 0u)));
    if (law_.deep_high) report_->number("reach_high", static_cast<double>(at(0u ^ kTop, 0u)));
  }

 private:
  // `flip` is 0 for the side of the lowest values and all ones for that of the highest.
  void side(std::uint32_t flip, int bits) {
    for (const std::uint32_t index : {0u, kIndices - 1}) all_tails(index ^ flip, flip, bits);
    const float sign = flip != 0 ? -1.0f : 1.0f;
    // A normal's words go in pairs, w | 1.
    const std::uint32_t step = law_.symmetric || law_.law.kind == fanfill::LawKind::kNormal ? 2 : 1;
    for (std::uint32_t i = step - 1; i < kIndices; i += step) {
      if (!(sign * at(i ^ flip, kTop) <= sign * at((i + 1) ^ flip, 0u)))
        report_->fail(switch_, i ^ flip, static_cast<double>(at(i ^ flip, kTop)), isas_[0].c_str());
    }
    // The last index that takes a tail word does, the first that doesn't doesn't; compared on every set.
    for (const std::string& isa : isas_) {
      const std::uint32_t last = (kIndices - 1) ^ flip, first = kIndices ^ flip;
      const bool takes = value_at(isa, law_.law, last, 0u) != value_at(isa, law_.law, last, kTop);
      const bool ignores = value_at(isa, law_.law, first, 0u) == value_at(isa, law_.law, first, kTop);
      if (!takes)
        report_->fail(limit_, last, static_cast<double>(value_at(isa, law_.law, last, 0u)), isa.c_str());
      if (!ignores)
        report_->fail(limit_, first, static_cast<double>(value_at(isa, law_.law, first, 0u)), isa.c_str());
    }
  }

  void all_tails(std::uint32_t index, std::uint32_t flip, int bits) {
    const float sign = flip != 0 ? -1.0f : 1.0f;
    float last = sign * at(index, 0u);
    const std::uint64_t end = std::uint64_t{1} << bits;
    for (std::uint64_t start = 0; start < end; start += kChunk) {
      const std::size_t n = static_cast<std::size_t>(end - start < kChunk ? end - start : kChunk);
      for (std::size_t i = 0; i < n; ++i) {
        words_[i] = index ^ kTopBit<std::uint32_t>;
        tails_[i] = static_cast<std::uint32_t>((start + i) << (32 - bits));
      }
      draw(isas_[0], law_.law, words_.data(), tails_.data(), n, values_.data());
      for (std::size_t i = 0; i < n; ++i) {
        const float v = sign * values_[i];
        if (!(last <= v))
          report_->fail(monotone_, tails_[i], static_cast<double>(values_[i]), isas_[0].c_str());
        last = v;
      }
      for (std::size_t isa = 1; isa < isas_.size(); ++isa) compare(isas_[isa], n);
      if (law_.symmetric) mirror(n);
      inputs_ += n;
    }
  }
  void compare(const std::string& isa, std::size_t n) {
    draw(isa, law_.law, words_.data(), tails_.data(), n, other_.data());
    if (std::memcmp(values_.data(), other_.data(), n * sizeof(float)) == 0) return;
    for (std::size_t i = 0; i < n; ++i) {
      if (std::memcmp(&values_[i], &other_[i], sizeof(float)) != 0)
        report_->fail(equal_, tails_[i], static_cast<double>(other_[i]), isa.c_str());
    }
  }
  void mirror(std::size_t n) {
    for (std::size_t i = 0; i < n; ++i) words_[i] = ~words_[i];
    draw(isas_[0], law_.law, words_.data(), tails_.data(), n, other_.data());
    for (std::size_t i = 0; i < n; ++i) {
      if (values_[i] != -other_[i])
        report_->fail(mirror_, tails_[i], static_cast<double>(other_[i]), isas_[0].c_str());
    }
  }
  float at(std::uint32_t index, std::uint32_t tail) const {
    return value_at(isas_[0], law_.law, index, tail);
  }

  const NamedLaw& law_;
  const std::vector<std::string>& isas_;
  Report* report_;
  std::vector<std::uint32_t> words_, tails_;
  std::vector<float> values_, other_;
  std::size_t monotone_ = 0, switch_ = 0, limit_ = 0, mirror_ = 0, equal_ = 0;
  std::uint64_t inputs_ = 0;
};

}  // namespace fanfill_exhaustive
