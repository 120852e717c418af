// Whether memory has its pages already, as far as the operating system tells cheaply, and having them made.
// It must not know what the memory is for, nor change what any of it holds.
#include "pages.hpp"

#include <algorithm>

#ifdef __linux__
#include <sys/mman.h>
#include <unistd.h>
#endif

namespace fanfill {

#ifdef __linux__
namespace {

#ifdef MADV_POPULATE_WRITE
constexpr int kPopulateWrite = MADV_POPULATE_WRITE;
#else
constexpr int kPopulateWrite = 23;  // since Linux 5.14; the headers may be older
#endif

std::uintptr_t page_size() noexcept {
  static const long size = sysconf(_SC_PAGESIZE);
  return size > 0 ? static_cast<std::uintptr_t>(size) : kHugePageBytes;
}

std::uintptr_t address_of(const void* memory) noexcept { return reinterpret_cast<std::uintptr_t>(memory); }

bool is_resident(std::uintptr_t address) noexcept {
  unsigned char resident = 0;
  const std::uintptr_t page = address - address % page_size();
  return mincore(reinterpret_cast<void*>(page), page_size(), &resident) == 0 && (resident & 1U) != 0;
}

bool populate_between(std::uintptr_t begin, std::uintptr_t end) noexcept {
  const std::uintptr_t first = begin - begin % page_size();
  return madvise(reinterpret_cast<void*>(first), end - first, kPopulateWrite) == 0;
}

// The last page of a block first: where a huge page comes of it, the kernel clears it towards that page, so
// upwards, and the fill then finds it in the cache in the order in which it writes.
bool block_comes_huge(std::uintptr_t block) noexcept {
  const std::uintptr_t last = block + kHugePageBytes - page_size();
  return !is_resident(block) && !is_resident(last) && populate_between(last, block + kHugePageBytes) &&
         is_resident(block);
}

std::uintptr_t block_of(std::uintptr_t address) noexcept { return address - address % kHugePageBytes; }

}  // namespace

bool pages_resident(const void* memory, std::size_t bytes, std::size_t places) noexcept {
  if (bytes == 0) return true;
  const std::uintptr_t address = address_of(memory);
  const std::uintptr_t first = address / page_size();
  const std::uintptr_t pages = (address + bytes - 1) / page_size() - first + 1;
  const std::uintptr_t samples = pages < places ? pages : places;
  for (std::uintptr_t i = 0; i < samples; ++i) {
    // The last page comes first: memory is mostly touched from its beginning, so that one tells most.
    const std::uintptr_t page = first + (pages - 1) - i * (pages / samples);
    if (!is_resident(page * page_size())) return false;
  }
  return true;
}

void advise_huge(void* memory, std::size_t bytes) noexcept {
  const std::uintptr_t begin = block_of(address_of(memory) + kHugePageBytes - 1);
  const std::uintptr_t end = block_of(address_of(memory) + bytes);
  // A refusal leaves the pages as they are, which is right too.
  if (begin < end) static_cast<void>(madvise(reinterpret_cast<void*>(begin), end - begin, MADV_HUGEPAGE));
}

void make_all_pages(void* memory, std::size_t bytes) noexcept {
  populates_huge(memory, bytes);
  if (bytes > 0) populate_between(address_of(memory), address_of(memory) + bytes);
}

bool populates_huge(void* memory, std::size_t bytes) noexcept {
  const std::uintptr_t begin = address_of(memory);
  const std::uintptr_t block = block_of(begin + kHugePageBytes - 1);
  return block - begin <= bytes && bytes - (block - begin) >= kHugePageBytes && block_comes_huge(block);
}

PageMaker::PageMaker(void* memory, std::size_t bytes, std::size_t ahead) noexcept
    : begin_(address_of(memory)), end_(address_of(memory) + bytes), ahead_(ahead) {}

void PageMaker::make_huge(std::uintptr_t begin, std::uintptr_t end) noexcept {
  for (std::uintptr_t block = block_of(begin); block < end; block += kHugePageBytes) {
    if (block == block_ || block < begin_ || end_ - block < kHugePageBytes) continue;
    block_ = block;
    if (!block_comes_huge(block)) continue;
    if (block != made_end_) made_begin_ = block;
    made_end_ = block + kHugePageBytes;
  }
}

void PageMaker::make(void* memory, std::size_t bytes) noexcept {
  std::uintptr_t begin = address_of(memory);
  const std::uintptr_t end = begin + bytes;
  if (begin_ == end_ || bytes == 0 || are_made(begin, end)) return;
  make_huge(begin, end);
  if (are_made(begin, end)) return;
  if (are_made(begin, begin)) begin = made_end_;
  // Whole steps end with a block, so that none is entered but by its last page.
  const std::uintptr_t step_end = ahead_ == 0 ? end : begin - begin % ahead_ + ahead_;
  const std::uintptr_t last = std::min(end_, std::max(end, step_end));
  // To ask again for pages that are there costs more than to look. The first and the last may be a
  // neighbour's, and a block's last page was asked for above.
  const std::uintptr_t middle = begin + (last - begin) / 2;
  const bool ends_block = block_of(middle + page_size()) != block_of(middle);
  const bool is_made = is_resident(ends_block ? std::max(begin, middle - page_size()) : middle);
  if (!is_made && !populate_between(begin, last)) begin_ = end_;
  if (begin != made_end_) made_begin_ = begin;
  made_end_ = last;
}

#else

bool pages_resident(const void*, std::size_t, std::size_t) noexcept { return false; }
void advise_huge(void*, std::size_t) noexcept {}
void make_all_pages(void*, std::size_t) noexcept {}
bool populates_huge(void*, std::size_t) noexcept { return false; }
PageMaker::PageMaker(void*, std::size_t, std::size_t) noexcept {}
void PageMaker::make_huge(std::uintptr_t, std::uintptr_t) noexcept {}
void PageMaker::make(void*, std::size_t) noexcept {}

#endif

}  // namespace fanfill
