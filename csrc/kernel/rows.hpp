// Many short rows at once: blocks from all of them make up the groups, so that one element costs no group.
// It must not know threads or regions; a value never depends on the rows beside its own.
#pragma once

#include <cstddef>
#include <cstdint>

#include "row.hpp"

namespace fanfill {
namespace {

template <class Element>
class Rows {
 public:
  FANFILL_INLINE Rows(const LawPlan& plan, DrawBlocks draw_law, const RowJob& common)
      : plan_(plan), draw_law_(draw_law), byte_stride_(common.byte_stride) {
    open(source_, common.seed, common.stream, 0);
  }

  FANFILL_INLINE void fill(const RowPlace* places, std::size_t count) {
    prepare(source_, high_half(places[0].start / kPerBlock));
    bool are_single = true;
    for (std::size_t i = 0; i < count; ++i) are_single &= places[i].count == 1;
    if (are_single) {
      for (std::size_t i = 0; i < count; i += kBlocks)
        fill_single(places + i, count - i < kBlocks ? count - i : kBlocks);
    } else {
      for (std::size_t i = 0; i < count; ++i) add(places[i]);
      flush();
    }
  }

 private:
  static constexpr std::uint64_t kBlocks =
      256;  // whole groups, and all that belongs to them fits the first cache
  using Drawn = DrawnBlocks<Element, kBlocks>;
  static constexpr std::uint64_t kPerBlock = Drawn::kPerBlock;

  // Consecutive elements of one row.
  struct Piece {
    char* out;
    std::uint32_t at;
    std::uint32_t count;
  };

  FANFILL_INLINE void add(const RowPlace& place) {
    std::uint64_t begin = place.start;
    std::uint64_t left = place.count;
    char* out = static_cast<char*>(place.out);
    while (left > 0) {
      const std::uint64_t at = used_ * kPerBlock + begin % kPerBlock;
      const std::uint64_t room = kBlocks * kPerBlock - at;
      const std::uint64_t count = left < room ? left : room;
      fetch(out, count);
      pieces_[piece_count_++] = {out, static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(count)};
      const std::uint64_t end = (at + count + kPerBlock - 1) / kPerBlock;
      add_blocks(begin / kPerBlock, end - used_);
      if (used_ == kBlocks) flush();
      begin += count;
      left -= count;
      out += static_cast<std::int64_t>(count) * byte_stride_;
    }
  }

  // One element each, as in a column of a matrix, and no more places than blocks.
  FANFILL_INLINE void fill_single(const RowPlace* places, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      __builtin_prefetch(places[i].out, 1);
      add_blocks(places[i].start / kPerBlock, 1);
    }
    const Element* elements = draw();
    for (std::size_t i = 0; i < count; ++i)
      *static_cast<Element*>(places[i].out) = elements[i * kPerBlock + places[i].start % kPerBlock];
  }

  FANFILL_INLINE void add_blocks(std::uint64_t first, std::uint64_t count) {
    is_shared_ &= high_half(first) == source_.upper && high_half(first + count - 1) == source_.upper;
    for (std::uint64_t i = 0; i < count; ++i) blocks_[used_ + i] = first + i;
    used_ += count;
  }

  // All elements of the blocks.
  FANFILL_INLINE const Element* draw() {
    const std::uint64_t whole = (used_ + kGroupBlocks - 1) / kGroupBlocks * kGroupBlocks;
    for (; used_ < whole; ++used_) blocks_[used_] = blocks_[used_ - 1];  // drawn and not used
    const Element* elements = drawn_.draw(draw_law_, plan_, source_, blocks_, whole, is_shared_);
    used_ = 0;
    is_shared_ = true;
    return elements;
  }

  // Brings the lines nearer that will be written to after the values are drawn.
  FANFILL_INLINE void fetch(const char* out, std::uint64_t count) const {
    if (is_contiguous()) {
      for (std::uint64_t i = 0; i < count * sizeof(Element); i += 64) __builtin_prefetch(out + i, 1);
    } else if (piece_count_ == 0) {  // the rows that follow mostly share its lines
      for (std::uint64_t i = 0; i < count; ++i, out += byte_stride_) __builtin_prefetch(out, 1);
    }
  }
  FANFILL_INLINE bool is_contiguous() const {
    return byte_stride_ == static_cast<std::int64_t>(sizeof(Element));
  }
  // Whether row after row lies nearer than column after column: then one column after the other is written.
  FANFILL_INLINE bool is_transposed() const {
    const auto apart =
        reinterpret_cast<std::uintptr_t>(pieces_[1].out) - reinterpret_cast<std::uintptr_t>(pieces_[0].out);
    return piece_count_ > 1 && apart == sizeof(Element) && !is_contiguous();
  }

  __attribute__((noinline)) void flush() {
    if (used_ == 0) return;
    const Element* elements = draw();
    if (is_transposed()) {
      write_columns(elements);
    } else {
      for (std::uint64_t i = 0; i < piece_count_; ++i) {
        const Piece& piece = pieces_[i];
        if (is_contiguous())
          copy_elements(reinterpret_cast<Element*>(piece.out), elements + piece.at, piece.count);
        else
          scatter_elements(piece.out, byte_stride_, elements + piece.at, piece.count);
      }
    }
    piece_count_ = 0;
  }

  void write_columns(const Element* elements) {
    std::uint32_t longest = 0;
    for (std::uint64_t i = 0; i < piece_count_; ++i)
      longest = pieces_[i].count > longest ? pieces_[i].count : longest;
    std::int64_t offset = 0;
    for (std::uint32_t column = 0; column < longest; ++column, offset += byte_stride_)
      for (std::uint64_t i = 0; i < piece_count_; ++i)
        if (column < pieces_[i].count)
          *reinterpret_cast<Element*>(pieces_[i].out + offset) = elements[pieces_[i].at + column];
  }

  const LawPlan& plan_;
  const DrawBlocks draw_law_;
  const std::int64_t byte_stride_;
  WordSource source_;
  bool is_shared_ = true;  // whether all blocks have the upper half that the source is prepared for
  std::uint64_t used_ = 0;
  std::uint64_t piece_count_ = 0;
  alignas(64) std::uint64_t blocks_[kBlocks];
  Drawn drawn_;
  Piece pieces_[kBlocks];  // each has a block at least
};

template <class Element>
__attribute__((noinline)) void fill_rows_of(const LawPlan& plan, DrawBlocks draw_law, const RowJob& common,
                                            const RowPlace* places, std::size_t count) {
  Rows<Element>(plan, draw_law, common).fill(places, count);
}

}  // namespace
}  // namespace fanfill
