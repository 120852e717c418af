// Many short rows at once: blocks from all of them make up the groups, so that one element costs no group.
// It must not know threads or regions; a value never depends on the rows beside its own.
#pragma once

#include <cstddef>
#include <cstdint>

#include "row.hpp"

namespace fanfill {
namespace {

// Rows that are whole lines are drawn straight into their memory, all others by way of a buffer.
template <class Element>
class Rows {
 public:
  FANFILL_INLINE Rows(const LawPlan& plan, DrawBlocks draw_law, const RowJob& common)
      : plan_(plan),
        draw_law_(draw_law),
        byte_stride_(common.byte_stride),
        is_to_stream_(common.store == StorePolicy::kStreaming) {
    open(source_, common.seed, common.stream, 0);
    for (std::uint64_t i = 0; i < kHeldEnd / kLineBlocks; ++i) to_[i] = drawn_.line(i);
  }

  FANFILL_INLINE void fill(const RowPlaces* places, std::size_t count) {
    prepare(source_, high_half(places[0].start / kPerBlock));
    for (std::size_t i = 0; i < count; ++i) add(places[i]);
    flush();
  }

 private:
  // Blocks in the buffer and lines that wait for a draw: all that belongs to them fits the first cache.
  static constexpr std::uint64_t kHeld = 256;
  static constexpr std::uint64_t kLines = 256;
  // Blocks are held from the last place to the first, and lines follow them. In front is room to make up
  // whole groups, so that all is one list.
  static constexpr std::uint64_t kHeldEnd = kGroupBlocks + kHeld;
  using Drawn = DrawnBlocks<Element, kHeldEnd>;
  static constexpr std::uint64_t kPerBlock = Drawn::kPerBlock;
  static constexpr std::uint64_t kPerLine = kLineBlocks * kPerBlock;

  // Consecutive elements of one row in the buffer.
  struct Piece {
    char* out;
    std::uint32_t at;
    std::uint32_t count;
  };

  FANFILL_INLINE void add(const RowPlaces& rows) {
    const std::uint64_t last = rows.start + (rows.rows - 1) * rows.index_step + rows.count - 1;
    const bool is_shared =
        high_half(rows.start / kPerBlock) == source_.upper && high_half(last / kPerBlock) == source_.upper;
    const bool begins_blocks = (rows.start | rows.index_step) % kPerBlock == 0;
    const std::uint64_t most = (rows.count - 1 + (begins_blocks ? 0 : kPerBlock - 1)) / kPerBlock + 1;
    if (!Drawn::kIsRounded && is_contiguous() && begins_blocks && rows.count % kPerLine == 0 &&
        rows.count <= kLines * kPerLine)
      add_lines(rows, is_shared);
    else
      hold(rows, most, is_shared);
  }

  FANFILL_INLINE void add_lines(const RowPlaces& rows, bool is_shared) {
    const std::uint64_t lines = rows.count / kPerLine, step = rows.index_step / kPerBlock;
    std::uint64_t block = rows.start / kPerBlock;
    char* out = static_cast<char*>(rows.out);
    const bool begin_cache_lines = reinterpret_cast<std::uintptr_t>(out) % kLineBytes == 0 &&
                                   (rows.rows == 1 || rows.byte_step % kLineBytes == 0);
    for (std::uint64_t left = rows.rows; left > 0;) {
      if (line_count_ + lines > kLines) flush();
      is_shared_ &= is_shared;
      may_stream_ &= begin_cache_lines;
      std::uint64_t* blocks = blocks_ + kHeldEnd + line_count_ * kLineBlocks;
      void** to = to_ + kHeldEnd / kLineBlocks + line_count_;
      for (; left > 0 && line_count_ + lines <= kLines; --left, block += step, out += rows.byte_step) {
        for (std::uint64_t i = 0; i < lines; ++i, ++to, blocks += kLineBlocks) {
          list_four(block + i * kLineBlocks, blocks);
          *to = out + i * (kPerLine * sizeof(Element));
        }
        line_count_ += lines;
      }
    }
  }

  // `most`: blocks of a row.
  FANFILL_INLINE void hold(const RowPlaces& rows, std::uint64_t most, bool is_shared) {
    std::uint64_t start = rows.start;
    char* out = static_cast<char*>(rows.out);
    for (std::uint64_t left = rows.rows; left > 0;) {
      const std::uint64_t room = (held_begin_ - kGroupBlocks) / most, count = left < room ? left : room;
      std::uint64_t held = held_begin_;
      for (Piece *piece = pieces_ + piece_count_, *const end = piece + count; piece != end; ++piece) {
        held = hold_piece(held, piece, start, rows.count, out);
        start += rows.index_step;
        out += rows.byte_step;
      }
      piece_count_ += count;
      held_begin_ = held;
      is_shared_ &= is_shared;
      if (rows.count > longest_) longest_ = static_cast<std::uint32_t>(rows.count);
      left -= count;
      if (left == 0) return;
      hold_parts(start, rows.count, out, is_shared);
      start += rows.index_step;
      out += rows.byte_step;
      --left;
    }
  }

  // A row for which the buffer may have no room.
  FANFILL_INLINE void hold_parts(std::uint64_t begin, std::uint64_t count, char* out, bool is_shared) {
    while (count > 0) {
      if (held_begin_ == kGroupBlocks) flush();
      const std::uint64_t room = (held_begin_ - kGroupBlocks) * kPerBlock - begin % kPerBlock;
      const std::uint64_t part = count < room ? count : room;
      held_begin_ = hold_piece(held_begin_, pieces_ + piece_count_++, begin, part, out);
      is_shared_ &= is_shared;
      if (part > longest_) longest_ = static_cast<std::uint32_t>(part);
      begin += part;
      count -= part;
      out += static_cast<std::int64_t>(part) * byte_stride_;
    }
  }

  // Before `held`; answers with what is held then.
  FANFILL_INLINE std::uint64_t hold_piece(std::uint64_t held, Piece* piece, std::uint64_t begin,
                                          std::uint64_t count, char* out) {
    fetch(out, count, piece == pieces_);
    const std::uint64_t block = begin / kPerBlock, lead = begin % kPerBlock;
    if (count == 1)
      blocks_[--held] = block;
    else
      held -= list(block, (lead + count - 1) / kPerBlock + 1, blocks_ + held);
    *piece = {out, static_cast<std::uint32_t>(held * kPerBlock + lead), static_cast<std::uint32_t>(count)};
    return held;
  }

  // Consecutive blocks before `end`, so many; up to three more are written in front of them.
  static FANFILL_INLINE std::uint64_t list(std::uint64_t first, std::uint64_t count, std::uint64_t* end) {
    std::uint64_t next = first + count;
    for (const std::uint64_t* const begin = end - count; end > begin;) {
      end -= 4;
      next -= 4;
      list_four(next, end);
    }
    return count;
  }

  __attribute__((noinline)) void flush() {
    if (held_begin_ == kHeldEnd && line_count_ == 0) return;
    const Element* elements = draw();
    if (longest_ == 1) {
      for (std::uint64_t i = 0; i < piece_count_; ++i)
        *reinterpret_cast<Element*>(pieces_[i].out) = elements[pieces_[i].at];
    } else if (is_transposed()) {
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
    longest_ = 0;
  }

  // All blocks that wait. Answers with all elements of the buffer.
  FANFILL_INLINE const Element* draw() {
    const std::uint64_t end = kHeldEnd + line_count_ * kLineBlocks;
    const std::uint64_t whole = (end - held_begin_ + kGroupBlocks - 1) / kGroupBlocks * kGroupBlocks;
    const std::uint64_t begin = end - whole;
    for (std::uint64_t i = begin; i < held_begin_; ++i) blocks_[i] = blocks_[held_begin_];  // and not used
    const std::uint64_t streamed = may_stream_ ? line_count_ * kLineBlocks : 0;
    draw_law_(plan_, source_, {blocks_ + begin, to_ + begin / kLineBlocks, whole, streamed, is_shared_});
    held_begin_ = kHeldEnd;
    line_count_ = 0;
    is_shared_ = true;
    may_stream_ = is_to_stream_;
    return drawn_.elements(plan_.dtype, begin);
  }

  // Brings the memory nearer that will be written to after the values are drawn.
  FANFILL_INLINE void fetch(const char* out, std::uint64_t count, bool is_first) const {
    if (is_contiguous() || count == 1) {
      for (std::uint64_t i = 0; i < count * sizeof(Element); i += kLineBytes) __builtin_prefetch(out + i, 1);
    } else if (is_first) {  // the rows that follow mostly share its lines
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

  void write_columns(const Element* elements) {
    std::int64_t offset = 0;
    for (std::uint32_t column = 0; column < longest_; ++column, offset += byte_stride_)
      for (std::uint64_t i = 0; i < piece_count_; ++i)
        if (column < pieces_[i].count)
          *reinterpret_cast<Element*>(pieces_[i].out + offset) = elements[pieces_[i].at + column];
  }

  const LawPlan& plan_;
  const DrawBlocks draw_law_;
  const std::int64_t byte_stride_;
  const bool is_to_stream_;
  WordSource source_;
  bool may_stream_ = is_to_stream_;  // whether all lines begin cache lines
  bool is_shared_ = true;            // whether all blocks have the upper half that the source is prepared for
  std::uint64_t held_begin_ = kHeldEnd;
  std::uint64_t line_count_ = 0;
  std::uint64_t piece_count_ = 0;
  std::uint32_t longest_ = 0;  // elements of a piece
  alignas(64) std::uint64_t blocks_[kHeldEnd + kLines * kLineBlocks];
  void* to_[kHeldEnd / kLineBlocks + kLines];  // where each line of values goes
  Drawn drawn_;
  Piece pieces_[kHeld];  // each has a block at least
};

template <class Element>
__attribute__((noinline)) void fill_rows_of(const LawPlan& plan, DrawBlocks draw_law, const RowJob& common,
                                            const RowPlaces* places, std::size_t count) {
  Rows<Element>(plan, draw_law, common).fill(places, count);
}

}  // namespace
}  // namespace fanfill
