// Has the pages of new memory made by several threads, ahead of whoever will write to it.
// It must not know jobs, laws or values, and changes no value that the memory holds.
#include <algorithm>

#include "fanfill/fanfill.hpp"
#include "mapping.hpp"
#include "pages.hpp"
#include "parallel.hpp"

namespace fanfill {
namespace {

struct NewMemory {
  char* begin;
  std::size_t bytes;
};

// Blocks are cut at addresses that are multiples of a huge page.
char* block_begin(const NewMemory& memory, std::uint64_t block) noexcept {
  if (block == 0) return memory.begin;
  const std::uint64_t offset =
      block * kHugePageBytes - reinterpret_cast<std::uintptr_t>(memory.begin) % kHugePageBytes;
  return memory.begin + std::min<std::uint64_t>(offset, memory.bytes);
}

void make_on_this_thread(void* context, RangeSource& source) noexcept {
  const NewMemory& memory = *static_cast<const NewMemory*>(context);
  Range range;
  while (source.next(&range)) {
    char* const begin = block_begin(memory, range.begin);
    make_all_pages(begin, static_cast<std::size_t>(block_begin(memory, range.end) - begin));
  }
}

}  // namespace

Status make_pages(void* memory, std::size_t bytes, const Options& options) noexcept {
  if (options.threads < 1) return Status::kBadArgument;
  if (bytes == 0) return Status::kOk;
  if (memory == nullptr) return Status::kNullData;
  if (!is_private_anonymous(memory, bytes, AskingCost::kHigh)) return Status::kOk;
  advise_huge(memory, bytes);
  NewMemory made{static_cast<char*>(memory), bytes};
  const std::uint64_t blocks = bytes / kHugePageBytes + 2;  // the first and the last may be cut short
  Interrupt interrupt(options.interrupted, options.context);
  const bool is_done = parallel_for(blocks, 1, options.threads, &interrupt, make_on_this_thread, &made);
  return is_done ? Status::kOk : Status::kInterrupted;
}

}  // namespace fanfill
