// Fills that end at a page which nobody may touch, on either side: every instruction set, dtype and kind of
// law, every length up to four groups of vectors, every alignment. A kernel that reads or writes one byte too
// many dies here. It must not know how long a group is.
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstring>
#include <vector>

#include "check.hpp"
#include "fanfill/fanfill.hpp"

namespace {

// An accessible stretch between two pages without access.
class Guarded {
 public:
  explicit Guarded(std::size_t bytes) : page_(static_cast<std::size_t>(sysconf(_SC_PAGESIZE))) {
    size_ = (bytes + page_ - 1) / page_ * page_;
    void* const memory = mmap(nullptr, size_ + 2 * page_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(memory != MAP_FAILED);
    base_ = static_cast<unsigned char*>(memory);
    CHECK(mprotect(begin(), size_, PROT_READ | PROT_WRITE) == 0);
  }
  ~Guarded() { munmap(base_, size_ + 2 * page_); }
  Guarded(const Guarded&) = delete;
  Guarded& operator=(const Guarded&) = delete;
  unsigned char* begin() const { return base_ + page_; }
  unsigned char* end() const { return base_ + page_ + size_; }

 private:
  std::size_t page_, size_ = 0;
  unsigned char* base_ = nullptr;
};

constexpr std::size_t kSizes[] = {8, 4, 2, 2, 1, 1};
constexpr std::size_t kLine = 64;

fanfill::Law law_of(fanfill::LawKind kind) {
  fanfill::Law law;
  law.kind = kind;
  law.mean = 0.25;
  law.std = 1.0;
  law.low = 0.5;
  law.high = 2.0;
  law.unit = fanfill::BoundUnit::kSigma;
  law.step = 0.5;
  law.period = 7;
  return law;
}

void fill_at(unsigned char* data, fanfill::DType dtype, const fanfill::Law& law, std::uint64_t start,
             std::uint64_t count, std::int64_t step) {
  const fanfill::Run run{start, count};
  const fanfill::Axis axis{
      start + count, step * static_cast<std::int64_t>(kSizes[static_cast<std::size_t>(dtype)]), &run, 1};
  fanfill::Job job;
  job.data = data;
  job.dtype = dtype;
  job.law = law;
  job.axes = &axis;
  job.rank = 1;
  CHECK(fanfill::fill(job, {}) == fanfill::Status::kOk);
}

// Flush with the page before and with the page after; `gap` elements away from it, so that every alignment
// comes.
void sweep_lengths(const Guarded& memory, fanfill::DType dtype, const fanfill::Law& law,
                   std::uint64_t longest, std::uint64_t every) {
  const std::size_t size = kSizes[static_cast<std::size_t>(dtype)];
  for (std::uint64_t count = 0; count <= longest; count += every) {
    const std::size_t bytes = static_cast<std::size_t>(count) * size;
    for (const std::uint64_t start : {std::uint64_t{0}, 1 + count % 3}) {
      fill_at(memory.begin(), dtype, law, start, count, 1);
      fill_at(memory.end() - bytes, dtype, law, start, count, 1);
    }
    if (count > 0 && count % 8 == 1) {  // backwards from the last element
      fill_at(memory.end() - size, dtype, law, 0, count, -1);
      fill_at(memory.begin() + bytes - size, dtype, law, 1, count, -1);
    }
  }
}

void sweep_alignments(const Guarded& memory, fanfill::DType dtype, const fanfill::Law& law) {
  const std::size_t size = kSizes[static_cast<std::size_t>(dtype)];
  for (std::size_t gap = 0; gap < kLine / size; ++gap) {
    for (const std::size_t count : {std::size_t{1}, std::size_t{67}, std::size_t{515}}) {
      fill_at(memory.end() - (gap + count) * size, dtype, law, 2, count, 1);
      fill_at(memory.begin() + gap * size, dtype, law, 3, count, 1);
    }
  }
}

// What a transform reads as well as what it writes.
void sweep_transforms(const Guarded& words, const Guarded& tails, const Guarded& out, const char* isa,
                      fanfill::DType dtype, const fanfill::Law& law) {
  const std::size_t size = kSizes[static_cast<std::size_t>(dtype)];
  const std::size_t word_size = dtype == fanfill::DType::kFloat64 ? 8 : 4;
  for (std::size_t count = 1; count < 140; count += 1 + count / 16) {
    CHECK(fanfill::transform(isa, law, dtype, words.end() - count * word_size,
                             tails.end() - count * word_size, count,
                             out.end() - count * size) == fanfill::Status::kOk);
    CHECK(fanfill::transform(isa, law, dtype, words.begin(), tails.begin(), count, out.begin()) ==
          fanfill::Status::kOk);
  }
}

void sweep_isa(const char* isa, std::uint64_t every) {
  CHECK(fanfill::choose_isa(isa) == fanfill::Status::kOk);
  const Guarded memory(1 << 14), words(1 << 13), tails(1 << 13);
  for (int kind = 0; kind < fanfill::kLawKindCount; ++kind) {
    const fanfill::Law law = law_of(static_cast<fanfill::LawKind>(kind));
    for (int d = 0; d < fanfill::kDTypeCount; ++d) {
      const auto dtype = static_cast<fanfill::DType>(d);
      sweep_lengths(memory, dtype, law, 4 * 128 + 9, every);
      sweep_alignments(memory, dtype, law);
      sweep_transforms(words, tails, memory, isa, dtype, law);
    }
  }
  for (std::size_t count = 1; count < 600; count += every) {
    auto* const last = reinterpret_cast<std::uint32_t*>(memory.end()) - count;
    CHECK(fanfill::raw_words(isa, 1, 2, count, count, last) == fanfill::Status::kOk);
    auto* const first = reinterpret_cast<std::uint32_t*>(memory.begin());
    CHECK(fanfill::raw_words(isa, 1, 2, count, count, first) == fanfill::Status::kOk);
  }
  const std::vector<float> values(300, 1.0f);
  std::memcpy(words.begin(), values.data(), values.size() * sizeof(float));
  std::memcpy(words.end() - 1200, values.data(), values.size() * sizeof(float));
  for (int d = 2; d < fanfill::kDTypeCount; ++d) {
    for (std::size_t count = 1; count <= 300; ++count) {
      const auto* const source = reinterpret_cast<const float*>(words.end()) - count;
      CHECK(fanfill::round_to(isa, static_cast<fanfill::DType>(d), source, count,
                              memory.end() - count * kSizes[d]) == fanfill::Status::kOk);
    }
  }
}

}  // namespace

// `test_guard_pages EVERY` takes only one length in so many.
int main(int argc, char** argv) {
  const std::uint64_t every = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1;
  for (std::size_t i = 0; i < fanfill::isa_count(); ++i)
    if (fanfill::isa_supported(i)) sweep_isa(fanfill::isa_name(i), every);
  return 0;
}
