// The whole lines of 64 bytes of short rows that begin with a block, drawn straight into their memory,
// blocks of all rows together. It must not know what a row has behind them.
#pragma once

#include <cstddef>
#include <cstdint>

#include "row.hpp"

namespace fanfill {
namespace {

// What the rows of one call have in common.
struct RowsPlan {
  const LawPlan& plan;
  const DrawBlocks draw;
  const std::int64_t byte_stride;
  const StorePolicy store;
  WordSource source;
};

template <class Element>
class RowLines {
 public:
  FANFILL_INLINE explicit RowLines(const RowsPlan& common) : common_(common) {}

  // How many elements of each row are lines; none where the rest of the row would cost what they gain.
  FANFILL_INLINE static std::uint64_t elements_in_lines(const RowPlaces& rows, const RowsPlan& common) {
    constexpr std::uint64_t kFewest = 3 * kPerLine;
    const bool has_lines = sizeof(Element) >= sizeof(float) &&
                           common.byte_stride == static_cast<std::int64_t>(sizeof(Element)) &&
                           rows.count <= kLines * kPerLine && (rows.start | rows.index_step) % kPerBlock == 0;
    const bool is_worth_it = rows.count % kPerLine == 0 || rows.count >= kFewest;
    return has_lines && is_worth_it ? rows.count / kPerLine * kPerLine : 0;
  }

  // Rows of whole lines; `is_shared` where all blocks of the rows have the upper half that the source is
  // prepared for.
  FANFILL_INLINE void add(const RowPlaces& rows, bool is_shared) {
    const std::uint64_t lines = rows.count / kPerLine, step = rows.index_step / kPerBlock;
    std::uint64_t block = rows.start / kPerBlock;
    char* out = static_cast<char*>(rows.out);
    const bool begin_cache_lines = reinterpret_cast<std::uintptr_t>(out) % kLineBytes == 0 &&
                                   (rows.rows == 1 || rows.byte_step % kLineBytes == 0);
    for (std::uint64_t left = rows.rows; left > 0;) {
      if (count_ + lines > kLines) flush();
      is_shared_ &= is_shared;
      begin_cache_lines_ &= begin_cache_lines;
      std::uint64_t* blocks = blocks_ + count_ * kLineBlocks;
      void** to = to_ + count_;
      for (; left > 0 && count_ + lines <= kLines; --left, block += step, out += rows.byte_step) {
        for (std::uint64_t i = 0; i < lines; ++i, ++to, blocks += kLineBlocks) {
          list_four(block + i * kLineBlocks, blocks);
          *to = out + i * kLineBytes;
        }
        count_ += lines;
      }
    }
  }

  __attribute__((noinline)) void flush() {
    if (count_ == 0) return;
    for (; count_ % kGroupLines != 0; ++count_) {  // drawn and not used
      list_four(blocks_[0], blocks_ + count_ * kLineBlocks);
      to_[count_] = unused_;
    }
    const bool is_streamed = common_.store == StorePolicy::kStreaming && begin_cache_lines_;
    common_.draw(common_.plan, common_.source, {blocks_, to_, count_ * kLineBlocks, is_shared_, is_streamed});
    count_ = 0;
    is_shared_ = begin_cache_lines_ = true;
  }

 private:
  static constexpr std::uint64_t kPerBlock = kElementsPerBlock<Element>;
  static constexpr std::uint64_t kPerLine = kLineBlocks * kPerBlock;
  static constexpr std::uint64_t kLines = 256;  // all that belongs to them fits the first cache
  static_assert(kLines % kGroupLines == 0, "no group is cut");

  const RowsPlan& common_;
  std::uint64_t count_ = 0;
  bool is_shared_ = true;
  bool begin_cache_lines_ = true;
  alignas(64) std::uint64_t blocks_[kLines * kLineBlocks];
  void* to_[kLines];
  alignas(64) char unused_[kLineBytes];
};

}  // namespace
}  // namespace fanfill
