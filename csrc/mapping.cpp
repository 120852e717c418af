// Whether memory is private and anonymous: no file's, and shared with no other process.
// It must not know what the memory is for, and never changes it.
#include "mapping.hpp"

#include <cstdint>

#ifdef __linux__
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>
#endif

namespace fanfill {

#ifdef __linux__
namespace {

// Memory that libraries allocate spans a few mappings: they advise parts of it.
constexpr int kMaxMappings = 64;

struct Mapping {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  bool is_writable = false;
  bool is_private = false;
  bool has_file = false;  // shared anonymous memory and that of hugetlbfs have one too
};

class File {
 public:
  explicit File(const char* path) noexcept : descriptor_(open(path, O_RDONLY | O_CLOEXEC)) {}
  ~File() {
    if (descriptor_ >= 0) close(descriptor_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int descriptor() const noexcept { return descriptor_; }

 private:
  int descriptor_;
};

// PROCMAP_QUERY of linux/fs.h, since Linux 6.11; spelled out, because the headers may be older than the
// kernel.
struct MappingQuery {
  std::uint64_t size = sizeof(MappingQuery);
  std::uint64_t query_flags = 0;
  std::uint64_t query_address = 0;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  std::uint64_t flags = 0;
  std::uint64_t page_size = 0;
  std::uint64_t offset = 0;
  std::uint64_t inode = 0;
  std::uint32_t major = 0;
  std::uint32_t minor = 0;
  std::uint32_t name_size = 0;
  std::uint32_t build_id_size = 0;
  std::uint64_t name_address = 0;
  std::uint64_t build_id_address = 0;
};
static_assert(sizeof(MappingQuery) == 104, "as the kernel has it");
constexpr std::uint64_t kQueryWritable = 2;
constexpr std::uint64_t kQueryShared = 8;

enum class Answer { kYes, kNo, kCannotAsk };

bool is_ours(const Mapping& mapping) noexcept {
  return mapping.is_writable && mapping.is_private && !mapping.has_file;
}

Answer query(int maps, std::uint64_t begin, std::uint64_t end) noexcept {
  for (int i = 0; i < kMaxMappings; ++i) {
    MappingQuery asked;
    asked.query_address = begin;
    if (ioctl(maps, _IOWR('f', 17, MappingQuery), &asked) != 0) return Answer::kCannotAsk;
    const bool has_file = asked.inode != 0 || asked.major != 0 || asked.minor != 0;
    const Mapping mapping{asked.begin, asked.end, (asked.flags & kQueryWritable) != 0,
                          (asked.flags & kQueryShared) == 0, has_file};
    if (!is_ours(mapping)) return Answer::kNo;
    if (mapping.end >= end) return Answer::kYes;
    begin = mapping.end;
  }
  return Answer::kNo;
}

// Reads /proc/self/maps character by character: lines of any length, no memory.
class MapsReader {
 public:
  explicit MapsReader(int maps) noexcept : maps_(maps) {}

  // One line: "begin-end perms offset major:minor inode  name".
  bool next(Mapping* mapping) noexcept {
    if (!read_hex('-', &mapping->begin) || !read_hex(' ', &mapping->end)) return false;
    char permissions[5];
    for (char& permission : permissions) {
      if (!take(&permission)) return false;
    }
    mapping->is_writable = permissions[1] == 'w';
    mapping->is_private = permissions[3] == 'p';
    std::uint64_t offset = 0, major = 0, minor = 0, inode = 0;
    if (!read_hex(' ', &offset) || !read_hex(':', &major) || !read_hex(' ', &minor)) return false;
    char c = '0';
    while (take(&c) && c >= '0' && c <= '9') inode |= static_cast<std::uint64_t>(c - '0');  // zero or not
    mapping->has_file = inode != 0 || major != 0 || minor != 0;
    while (c != '\n') {
      if (!take(&c)) return false;
    }
    return true;
  }

 private:
  bool take(char* c) noexcept {
    if (at_ == size_) {
      const ssize_t got = read(maps_, buffer_, sizeof buffer_);
      if (got <= 0) return false;
      size_ = static_cast<std::size_t>(got);
      at_ = 0;
    }
    *c = buffer_[at_++];
    return true;
  }

  bool read_hex(char end, std::uint64_t* value) noexcept {
    *value = 0;
    char c = 0;
    while (take(&c)) {
      if (c == end) return true;
      const int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
      if (digit < 0) return false;
      *value = *value * 16 + static_cast<std::uint64_t>(digit);
    }
    return false;
  }

  int maps_;
  std::size_t at_ = 0;
  std::size_t size_ = 0;
  char buffer_[4096];  // the kernel gives no more at a time
};

bool search(int maps, std::uint64_t begin, std::uint64_t end) noexcept {
  MapsReader reader(maps);
  Mapping mapping;
  while (reader.next(&mapping)) {
    if (mapping.end <= begin) continue;
    if (mapping.begin > begin || !is_ours(mapping)) return false;
    if (mapping.end >= end) return true;
    begin = mapping.end;
  }
  return false;
}

}  // namespace

bool is_private_anonymous(const void* memory, std::size_t bytes, AskingCost most, const char* maps) noexcept {
  const auto begin = std::uint64_t{reinterpret_cast<std::uintptr_t>(memory)};
  if (bytes == 0) return false;
  const File file(maps);
  if (file.descriptor() < 0) return false;
  const Answer answer = query(file.descriptor(), begin, begin + bytes);
  if (answer != Answer::kCannotAsk) return answer == Answer::kYes;
  return most == AskingCost::kHigh && search(file.descriptor(), begin, begin + bytes);
}

#else

bool is_private_anonymous(const void*, std::size_t, AskingCost, const char*) noexcept { return false; }

#endif

}  // namespace fanfill
