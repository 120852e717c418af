// Short rows of any kind, drawn into a buffer, blocks of all of them together, and brought from there to
// their memory. It must not know that some rows need no buffer.
#pragma once

#include <cstddef>
#include <cstdint>

#include "row_lines.hpp"

namespace fanfill {
namespace {

// The same bytes, whole cache lines among them past the cache.
template <class Element>
FANFILL_INLINE void copy_past_cache(Element* to, const Element* from, std::uint64_t count) {
  constexpr std::uint64_t kPerLine = kLineBytes / sizeof(Element);
  const std::uint64_t before = (0 - reinterpret_cast<std::uintptr_t>(to)) % kLineBytes / sizeof(Element);
  std::uint64_t i = before < count ? before : count;
  copy_elements(to, from, i);
  for (; i + kPerLine <= count; i += kPerLine)
    store_f32(reinterpret_cast<float*>(to + i), load(reinterpret_cast<const float*>(from + i)), true);
  copy_elements(to + i, from + i, count - i);
}

template <class Element>
class HeldRows {
 public:
  FANFILL_INLINE explicit HeldRows(const RowsPlan& common) : common_(common) {}

  // `is_shared` where all blocks of the rows have the upper half that the source is prepared for.
  FANFILL_INLINE void add(const RowPlaces& rows, bool is_shared) {
    is_streamed_ = goes_past_cache(rows);
    std::uint64_t start = rows.start;
    char* out = static_cast<char*>(rows.out);
    const std::uint64_t lead = (rows.start | rows.index_step) % kPerBlock == 0 ? 0 : kPerBlock - 1;
    const std::uint64_t most = (lead + rows.count - 1) / kPerBlock + 1;  // blocks of a row
    for (std::uint64_t left = rows.rows; left > 0;) {
      const std::uint64_t room = (kBlocks - used_) / most, count = left < room ? left : room;
      std::uint64_t used = used_;
      for (Piece *piece = pieces_ + piece_count_, *const end = piece + count; piece != end; ++piece) {
        used = hold(used, piece, start, rows.count, out);
        start += rows.index_step;
        out += rows.byte_step;
      }
      note(used, count, rows.count, is_shared);
      left -= count;
      if (left == 0) return;
      if (most <= kBlocks && kBlocks - used_ <= kSpare) {
        flush();
        continue;
      }
      add_parts(start, rows.count, out, is_shared);
      start += rows.index_step;
      out += rows.byte_step;
      --left;
    }
  }

  __attribute__((noinline)) void flush() {
    if (used_ == 0) return;
    const std::uint64_t whole = (used_ + kGroupBlocks - 1) / kGroupBlocks * kGroupBlocks;
    for (std::uint64_t i = used_; i < whole; ++i) blocks_[i] = blocks_[0];  // drawn and not used
    const Element* elements =
        drawn_.draw(common_.draw, common_.plan, common_.source, blocks_, whole, is_shared_);
    if (longest_ == 1)
      write_single(elements);
    else if (is_transposed())
      write_columns(elements);
    else
      write_rows(elements);
    used_ = piece_count_ = longest_ = 0;
    is_shared_ = true;
  }

 private:
  // Whole groups; all that belongs to them fits the first cache.
  static constexpr std::uint64_t kBlocks = 256;
  static constexpr std::uint64_t kSpare = kBlocks / 16;  // rather left empty than a row cut in two
  using Drawn = DrawnBlocks<Element, kBlocks>;
  static constexpr std::uint64_t kPerBlock = kElementsPerBlock<Element>;

  // Consecutive elements of one row.
  struct Piece {
    char* out;
    std::uint32_t at;
    std::uint32_t count;
  };

  // Where there are gaps between the rows: else the cache joins the end of one with the begin of the next.
  FANFILL_INLINE bool goes_past_cache(const RowPlaces& rows) const {
    constexpr std::uint64_t kFewestBytes = 4 * kLineBytes;  // the lines of its ends go through the cache
    const std::uint64_t bytes = rows.count * sizeof(Element);
    return kStreamsLines && common_.store == StorePolicy::kStreaming && is_contiguous() &&
           bytes >= kFewestBytes && rows.byte_step != static_cast<std::int64_t>(bytes);
  }

  // A row for which there may be no room.
  FANFILL_INLINE void add_parts(std::uint64_t begin, std::uint64_t count, char* out, bool is_shared) {
    while (count > 0) {
      if (used_ == kBlocks) flush();
      const std::uint64_t room = (kBlocks - used_) * kPerBlock - begin % kPerBlock;
      const std::uint64_t part = count < room ? count : room;
      note(hold(used_, pieces_ + piece_count_, begin, part, out), 1, part, is_shared);
      begin += part;
      count -= part;
      out += static_cast<std::int64_t>(part) * common_.byte_stride;
    }
  }

  FANFILL_INLINE void note(std::uint64_t used, std::uint64_t pieces, std::uint64_t count, bool is_shared) {
    used_ = used;
    piece_count_ += pieces;
    if (count > longest_) longest_ = count;
    is_shared_ &= is_shared;
  }

  // Behind `used` blocks; answers with how many are used then.
  FANFILL_INLINE std::uint64_t hold(std::uint64_t used, Piece* piece, std::uint64_t begin,
                                    std::uint64_t count, char* out) {
    fetch(out, count, piece == pieces_);
    const std::uint64_t block = begin / kPerBlock, lead = begin % kPerBlock;
    const std::uint64_t end = used + (lead + count - 1) / kPerBlock + 1;
    if (count == 1)
      blocks_[used] = block;
    else  // the last ones are too many
      for (std::uint64_t i = used; i < end; i += kBlocksAtOnce) list_eight(block + (i - used), blocks_ + i);
    *piece = {out, static_cast<std::uint32_t>(used * kPerBlock + lead), static_cast<std::uint32_t>(count)};
    return end;
  }

  // Brings the memory nearer that will be written to after the values are drawn.
  FANFILL_INLINE void fetch(const char* out, std::uint64_t count, bool is_first) const {
    const std::uint64_t bytes = count * sizeof(Element);
    if (count == 1) {
      __builtin_prefetch(out, 1);
    } else if (kStreamsLines && is_streamed_) {  // only the lines that it shares with others
      __builtin_prefetch(out, 1);
      __builtin_prefetch(out + bytes - 1, 1);
    } else if (is_contiguous()) {
      for (std::uint64_t i = 0; i < bytes; i += kLineBytes) __builtin_prefetch(out + i, 1);
    } else if (is_first) {  // the rows that follow mostly share its lines
      for (std::uint64_t i = 0; i < count; ++i, out += common_.byte_stride) __builtin_prefetch(out, 1);
    }
  }
  FANFILL_INLINE bool is_contiguous() const {
    return common_.byte_stride == static_cast<std::int64_t>(sizeof(Element));
  }
  // Whether row after row lies nearer than column after column: then one column after the other is written.
  FANFILL_INLINE bool is_transposed() const {
    const auto apart =
        reinterpret_cast<std::uintptr_t>(pieces_[1].out) - reinterpret_cast<std::uintptr_t>(pieces_[0].out);
    return piece_count_ > 1 && apart == sizeof(Element) && !is_contiguous();
  }

  FANFILL_INLINE void write_single(const Element* elements) {
    for (std::uint64_t i = 0; i < piece_count_; ++i)
      *reinterpret_cast<Element*>(pieces_[i].out) = elements[pieces_[i].at];
  }
  FANFILL_INLINE void write_rows(const Element* elements) {
    for (std::uint64_t i = 0; i < piece_count_; ++i) {
      const Piece& piece = pieces_[i];
      if (kStreamsLines && is_streamed_)
        copy_past_cache(reinterpret_cast<Element*>(piece.out), elements + piece.at, piece.count);
      else if (is_contiguous())
        copy_elements(reinterpret_cast<Element*>(piece.out), elements + piece.at, piece.count);
      else
        scatter_elements(piece.out, common_.byte_stride, elements + piece.at, piece.count);
    }
  }
  void write_columns(const Element* elements) {
    std::int64_t offset = 0;
    for (std::uint64_t column = 0; column < longest_; ++column, offset += common_.byte_stride)
      for (std::uint64_t i = 0; i < piece_count_; ++i)
        if (column < pieces_[i].count)
          *reinterpret_cast<Element*>(pieces_[i].out + offset) = elements[pieces_[i].at + column];
  }

  const RowsPlan& common_;
  bool is_shared_ = true;
  bool is_streamed_ = false;  // as the rows that were added last; any row may be written either way
  std::uint64_t used_ = 0;
  std::uint64_t piece_count_ = 0;
  std::uint64_t longest_ = 0;  // elements of a piece
  alignas(64) std::uint64_t blocks_[kBlocks + kBlocksAtOnce];
  Drawn drawn_;
  Piece pieces_[kBlocks];  // each has a block at least
};

}  // namespace
}  // namespace fanfill
