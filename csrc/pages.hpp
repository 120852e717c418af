// Whether memory has its pages already, as far as the operating system tells cheaply, and having them made.
// It must not know what the memory is for, nor change what any of it holds.
#pragma once

#include <cstddef>
#include <cstdint>

namespace fanfill {

inline constexpr std::uintptr_t kHugePageBytes = std::uintptr_t{2} << 20;

// Looks at so many pages spread evenly over the memory; true only where all of them are resident. Sixteen are
// enough to meet memory that is touched in part; each costs one system call, up to a microsecond. Where the
// system can't be asked, the answer is false.
bool pages_resident(const void* memory, std::size_t bytes, std::size_t places = 16) noexcept;

// Lets the system use huge pages for whole blocks of the memory, if it is so set. For private anonymous
// memory that is the caller's own: the advice outlasts the call.
void advise_huge(void* memory, std::size_t bytes) noexcept;

// Has all pages of the memory made, ready to be written. For private anonymous memory only: of a file it
// would make copies. A refusal is ignored.
void make_all_pages(void* memory, std::size_t bytes) noexcept;

// Has one page made and tells whether it came as part of a huge page, at once with its neighbours. False
// where the memory holds no whole aligned block of a huge page's size, and where pages are there already. For
// private anonymous memory only.
bool populates_huge(void* memory, std::size_t bytes) noexcept;

// Makes the pages of new private anonymous memory just ahead of whoever writes to it in ascending order: in
// one system call for many pages, where each would fault by itself. One for each thread.
class PageMaker {
 public:
  PageMaker() noexcept = default;
  // `ahead`: so many bytes at once, where one thread writes everything; 0 where others write to it, too.
  PageMaker(void* memory, std::size_t bytes, std::size_t ahead) noexcept;
  // Before `bytes` at `memory`, a part of the whole, are written.
  void make(void* memory, std::size_t bytes) noexcept;

 private:
  void make_huge(std::uintptr_t begin, std::uintptr_t end) noexcept;
  bool are_made(std::uintptr_t begin, std::uintptr_t end) const noexcept {
    return made_begin_ <= begin && end <= made_end_;
  }

  std::uintptr_t begin_ = 0;  // of the whole
  std::uintptr_t end_ = 0;
  std::uintptr_t ahead_ = 0;
  std::uintptr_t block_ = 0;       // of the size of a huge page: the one seen last
  std::uintptr_t made_begin_ = 0;  // made last
  std::uintptr_t made_end_ = 0;
};

}  // namespace fanfill
