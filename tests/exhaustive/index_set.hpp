// Ascending sets of indices, where the index of a word is its place in the order of the values: w with the
// top bit turned. It must not know laws or values.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace fanfill_exhaustive {

// i32(w) ascending is w ^ 2^31 ascending: from the lowest value to the highest, for every law.
template <class Word>
inline constexpr Word kTopBit = static_cast<Word>(Word{1} << (sizeof(Word) * 8 - 1));

// splitmix64 (Steele, Lea, Flood, 2014).
inline std::uint64_t mix(std::uint64_t x) {
  x += 0x9E3779B97F4A7C15u;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
  return x ^ (x >> 31);
}

template <class Word>
class IndexSet {
 public:
  static IndexSet all() { return around({}, 0, {{0, static_cast<Word>(~Word{0})}}); }

  // Every index within `radius` of the centres, and the given ranges (first, last).
  static IndexSet around(const std::vector<Word>& centres, Word radius,
                         std::vector<std::pair<Word, Word>> ranges = {}) {
    const Word top = static_cast<Word>(~Word{0});
    for (const Word c : centres) {
      ranges.emplace_back(c < radius ? Word{0} : static_cast<Word>(c - radius),
                          c > top - radius ? top : static_cast<Word>(c + radius));
    }
    std::sort(ranges.begin(), ranges.end());
    IndexSet set;
    for (const auto& range : ranges) {
      if (!set.ranges_.empty() && range.first <= set.ranges_.back().second)
        set.ranges_.back().second = std::max(set.ranges_.back().second, range.second);
      else
        set.ranges_.push_back(range);
    }
    set.next_ = set.ranges_.empty() ? Word{0} : set.ranges_[0].first;
    return set;
  }

  // One index of each of 2^bits equal strata, at a place that a hash of the stratum picks.
  static IndexSet strata(int bits) {
    IndexSet set;
    set.strata_ = std::uint64_t{1} << bits;
    set.stratum_bits_ = static_cast<int>(sizeof(Word) * 8) - bits;
    return set;
  }

  // Writes the next indices, at most `capacity`; 0 at the end.
  std::size_t next(Word* out, std::size_t capacity) {
    return strata_ != 0 ? next_strata(out, capacity) : next_ranges(out, capacity);
  }

 private:
  std::size_t next_strata(Word* out, std::size_t capacity) {
    std::size_t n = 0;
    for (; n < capacity && stratum_ < strata_; ++n, ++stratum_) {
      const Word within = static_cast<Word>(mix(stratum_) & ((std::uint64_t{1} << stratum_bits_) - 1));
      out[n] = static_cast<Word>(static_cast<Word>(stratum_ << stratum_bits_) | within);
    }
    return n;
  }
  std::size_t next_ranges(Word* out, std::size_t capacity) {
    if (at_ == ranges_.size()) return 0;
    const Word last = ranges_[at_].second;
    const Word left = static_cast<Word>(last - next_);  // one less than what is left of this range
    const std::size_t n = left < capacity ? static_cast<std::size_t>(left) + 1 : capacity;
    for (std::size_t i = 0; i < n; ++i) out[i] = static_cast<Word>(next_ + i);
    if (left < capacity) {
      if (++at_ < ranges_.size()) next_ = ranges_[at_].first;
    } else {
      next_ = static_cast<Word>(next_ + n);
    }
    return n;
  }

  std::vector<std::pair<Word, Word>> ranges_;
  std::size_t at_ = 0;
  Word next_ = 0;
  std::uint64_t strata_ = 0, stratum_ = 0;
  int stratum_bits_ = 0;
};

}  // namespace fanfill_exhaustive
