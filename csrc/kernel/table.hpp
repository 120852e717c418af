// The one interface between the core and an instruction set: a table of four functions over planned laws.
// It must not know regions, threads, CPUID, or how any of the functions is written.
#pragma once

#include <cstddef>
#include <cstdint>

#include "law_plan.hpp"

namespace fanfill {

// Streaming stores bypass the cache: right for warm memory larger than the cache, wrong for new memory.
enum class StorePolicy : std::uint8_t { kOrdinary, kStreaming };

// Whether they write such memory faster on a CPU.
struct StreamingGain {
  bool in_long_rows;
  bool in_short_rows;
};

struct RowJob {
  std::uint64_t seed;
  std::uint64_t stream;
  std::uint64_t start;       // global flat index of the first element
  std::uint64_t count;       // consecutive global indices
  void* out;                 // aligned to its element
  std::int64_t byte_stride;  // from one element to the next; the element size means contiguous
  StorePolicy store;         // streaming is a wish, for contiguous rows; the caller fences (see `fence`)
};

// Rows of equal length at equal distances, in the tensor and in memory.
struct RowPlaces {
  std::uint64_t start;  // of the first row
  std::uint64_t count;  // elements of each
  void* out;            // of the first row
  std::uint64_t rows;
  std::uint64_t index_step;  // from one row to the next
  std::int64_t byte_step;
};

struct KernelTable {
  const char* name;
  void (*fill_row)(const LawPlan& plan, const RowJob& row);
  // Many rows, which may be as short as one element: of `common` their own places replace start, count and
  // out.
  void (*fill_rows)(const LawPlan& plan, const RowJob& common, const RowPlaces* places, std::size_t count);
  void (*fence)();  // makes streaming stores visible; cheap
  void (*transform)(const LawPlan& plan, const void* words, const void* tails, std::size_t count, void* out);
  void (*raw_words)(std::uint64_t seed, std::uint64_t stream, std::uint64_t domain, std::uint64_t start,
                    std::size_t count, std::uint32_t* out);  // domain: as in philox.hpp, in place
  void (*round_to)(DType dtype, const float* values, std::size_t count, void* out);
};

}  // namespace fanfill
