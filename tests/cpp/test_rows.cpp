// Many rows in one call of every kernel table, with stores of both kinds, beside one row after the other: the
// same bits, and no other byte changed. It must not know how a kernel gathers the blocks of rows.
#include <cstdint>
#include <cstring>
#include <iterator>
#include <vector>

#include "check.hpp"
#include "dispatch.hpp"
#include "fanfill/fanfill.hpp"
#include "kernel/table.hpp"
#include "law.hpp"

namespace {

using fanfill::KernelTable;
using fanfill::LawPlan;
using fanfill::RowJob;
using fanfill::RowPlaces;
using fanfill::StorePolicy;
using fanfill_test::Choices;

constexpr std::uint64_t kOne = 1;
constexpr std::size_t kLine = 64;
constexpr std::uint64_t kCounts[] = {1, 1, 2, 3, 4, 5, 8, 16, 31, 64, 64, 65, 100, 128, 256, 257, 1000, 1024};
constexpr std::uint64_t kStarts[] = {0, 1, 2, 4, 64, 67, (kOne << 33) - 64, (kOne << 34) - 64, kOne << 40};

fanfill::Law law_of(std::uint64_t choice) {
  fanfill::Law law;
  constexpr fanfill::LawKind kKinds[] = {fanfill::LawKind::kNormal, fanfill::LawKind::kUniform,
                                         fanfill::LawKind::kTruncatedNormal, fanfill::LawKind::kConstant,
                                         fanfill::LawKind::kNormal};
  law.kind = kKinds[choice];
  law.std = choice == 4 ? 1.0 : 0.02;
  law.low = choice == 2 ? -2.0 : -0.5;
  law.high = choice == 2 ? 2.0 : 0.5;
  law.unit = choice == 2 ? fanfill::BoundUnit::kSigma : fanfill::BoundUnit::kAbsolute;
  return law;
}

// Bytes that begin a cache line.
class Memory {
 public:
  explicit Memory(std::size_t bytes) : bytes_(bytes + kLine, 0xA5) {}
  unsigned char* data() {
    return bytes_.data() + (kLine - reinterpret_cast<std::uintptr_t>(bytes_.data()) % kLine) % kLine;
  }

 private:
  std::vector<unsigned char> bytes_;
};

struct Rows {
  std::vector<RowPlaces> places;  // whose memory is counted from null
  std::int64_t byte_stride;
  std::size_t bytes;
};

// One shape after the other in ascending memory; `lines`: rows that may be written in whole cache lines.
Rows random_rows(Choices& choices, std::int64_t size, bool lines) {
  Rows rows{{}, lines || choices.coin() ? size : size * static_cast<std::int64_t>(2 + choices.below(9)), 0};
  const bool is_transposed = !lines && rows.byte_stride > size && choices.coin();
  std::uint64_t index = kStarts[choices.below(std::size(kStarts))];
  for (std::uint64_t shapes = 1 + choices.below(5); shapes > 0; --shapes) {
    RowPlaces row{};
    row.count = lines ? 64 * (1 + choices.below(9)) : kCounts[choices.below(std::size(kCounts))];
    row.rows = is_transposed ? 1 + choices.below(static_cast<std::uint64_t>(rows.byte_stride / size))
                             : 1 + choices.below(choices.coin() ? 4 : 300);
    const std::uint64_t gap = choices.coin() ? 0 : choices.below(2000);
    row.start = lines ? index / 64 * 64 : index;
    row.index_step = row.count + (lines ? gap / 64 * 64 : gap);
    const std::int64_t row_bytes = static_cast<std::int64_t>(row.count) * rows.byte_stride;
    const std::int64_t space = lines ? static_cast<std::int64_t>(kLine * choices.below(3))
                                     : size * static_cast<std::int64_t>(choices.below(20));
    row.byte_step = is_transposed ? size : row_bytes + space;
    row.out = reinterpret_cast<void*>(rows.bytes);
    rows.bytes += static_cast<std::size_t>(row_bytes + static_cast<std::int64_t>(row.rows) * row.byte_step);
    if (lines) rows.bytes = (rows.bytes + kLine - 1) / kLine * kLine;
    index = row.start + row.rows * row.index_step + choices.below(5);
    rows.places.push_back(row);
  }
  return rows;
}

void compare(const KernelTable& table, const LawPlan& plan, const Rows& rows, StorePolicy store,
             std::size_t lead) {
  Memory together(lead + rows.bytes + kLine), apart(lead + rows.bytes + kLine);
  std::vector<RowPlaces> places = rows.places;
  for (RowPlaces& row : places) row.out = together.data() + lead + reinterpret_cast<std::uintptr_t>(row.out);
  const RowJob common{7, 3, 0, 0, nullptr, rows.byte_stride, store};
  table.fill_rows(plan, common, places.data(), places.size());
  table.fence();
  for (const RowPlaces& row : rows.places)
    for (std::uint64_t i = 0; i < row.rows; ++i) {
      RowJob job = common;
      job.store = StorePolicy::kOrdinary;
      job.start = row.start + i * row.index_step;
      job.count = row.count;
      job.out = apart.data() + lead + reinterpret_cast<std::uintptr_t>(row.out) +
                static_cast<std::int64_t>(i) * row.byte_step;
      table.fill_row(plan, job);
    }
  CHECK(std::memcmp(together.data(), apart.data(), lead + rows.bytes + kLine) == 0);
}

void sweep(const char* isa, std::uint64_t tries) {
  const KernelTable* table = nullptr;
  CHECK(fanfill::find_kernel_table(isa, &table) == fanfill::Status::kOk);
  Choices choices(1234);
  for (std::uint64_t i = 0; i < tries; ++i) {
    const auto dtype = static_cast<fanfill::DType>(choices.below(fanfill::kDTypeCount));
    const std::size_t size = fanfill::element_size(dtype);
    LawPlan plan;
    CHECK(fanfill::plan_law(law_of(choices.below(5)), dtype, &plan) == fanfill::Status::kOk);
    const bool lines = choices.coin();
    const Rows rows = random_rows(choices, static_cast<std::int64_t>(size), lines);
    const std::size_t lead = choices.coin() ? 0 : size * choices.below(kLine);
    compare(*table, plan, rows, choices.coin() ? StorePolicy::kStreaming : StorePolicy::kOrdinary, lead);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::uint64_t tries = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 150;
  for (std::size_t i = 0; i < fanfill::isa_count(); ++i)
    if (fanfill::isa_supported(i)) sweep(fanfill::isa_name(i), tries);
  return 0;
}
