// Dispatch: the order of instruction sets, the choice by name and by environment, and that a bad name is an
// error. It must not know what a kernel computes.
#include <cstdlib>
#include <cstring>
#include <thread>
#include <vector>

#include "check.hpp"
#include "dispatch.hpp"
#include "fanfill/fanfill.hpp"

namespace {

using fanfill::KernelTable;
using fanfill::Status;

bool equal(const char* a, const char* b) { return std::strcmp(a, b) == 0; }

const char* best() {
  for (std::size_t i = 0;; ++i) {
    if (fanfill::isa_supported(i)) return fanfill::isa_name(i);
  }
}

void the_table_ends_with_scalar() {
  const std::size_t count = fanfill::isa_count();
  CHECK(count >= 1);
  CHECK(equal(fanfill::isa_name(count - 1), "scalar") && fanfill::isa_supported(count - 1));
  CHECK(fanfill::isa_name(count) == nullptr && !fanfill::isa_supported(count));
}

void every_supported_one_is_found_by_its_own_name() {
  for (std::size_t i = 0; i < fanfill::isa_count(); ++i) {
    const char* name = fanfill::isa_name(i);
    const KernelTable* table = nullptr;
    const Status status = fanfill::find_kernel_table(name, &table);
    CHECK(status == (fanfill::isa_supported(i) ? Status::kOk : Status::kUnsupportedIsa));
    CHECK(fanfill::choose_isa(name) == status);
    if (status != Status::kOk) continue;
    CHECK(equal(table->name, name));
    CHECK(equal(fanfill::chosen_isa(nullptr), name));
    const KernelTable* chosen = nullptr;
    CHECK(fanfill::find_kernel_table(nullptr, &chosen) == Status::kOk && chosen == table);
  }
}

// The compiler's own library asks the CPU and the system too.
void the_cpu_is_read_as_the_compiler_reads_it() {
#if defined(__x86_64__) && defined(__GNUC__)
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  const bool avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  for (std::size_t i = 0; i < fanfill::isa_count(); ++i) {
    if (equal(fanfill::isa_name(i), "avx2")) CHECK(fanfill::isa_supported(i) == avx2);
    if (equal(fanfill::isa_name(i), "avx512")) CHECK(fanfill::isa_supported(i) == avx512);
  }
#endif
}

void a_bad_name_changes_nothing() {
  CHECK(fanfill::choose_isa("scalar") == Status::kOk);
  for (const char* name : {"", "AVX2", "scalar ", "sse9"}) {
    const KernelTable* table = nullptr;
    CHECK(fanfill::find_kernel_table(name, &table) == Status::kUnknownIsa && table == nullptr);
    CHECK(fanfill::choose_isa(name) == Status::kUnknownIsa);
    CHECK(equal(fanfill::chosen_isa(nullptr), "scalar"));
  }
}

void the_environment_forces_one() {
  setenv("FANFILL_ISA", "scalar", 1);
  CHECK(fanfill::choose_isa(nullptr) == Status::kOk && equal(fanfill::chosen_isa(nullptr), "scalar"));
  setenv("FANFILL_ISA", "sse9", 1);
  CHECK(fanfill::choose_isa(nullptr) == Status::kUnknownIsa);
  Status status = Status::kOk;
  CHECK(fanfill::chosen_isa(&status) == nullptr && status == Status::kUnknownIsa);
  CHECK(fanfill::raw_words(nullptr, 0, 0, 0, 0, nullptr) == Status::kUnknownIsa);
  fanfill::Options options;
  CHECK(fanfill::fill(fanfill::Job(), options) == Status::kUnknownIsa);
  CHECK(fanfill::raw_words("scalar", 0, 0, 0, 0, nullptr) == Status::kOk);  // asked for by name
  CHECK(fanfill::choose_isa("scalar") == Status::kOk && equal(fanfill::chosen_isa(nullptr), "scalar"));
  setenv("FANFILL_ISA", "", 1);
  CHECK(fanfill::choose_isa(nullptr) == Status::kOk && equal(fanfill::chosen_isa(nullptr), best()));
  unsetenv("FANFILL_ISA");
  CHECK(fanfill::choose_isa(nullptr) == Status::kOk && equal(fanfill::chosen_isa(nullptr), best()));
}

void threads_agree_on_the_first_choice() {
  for (int i = 0; i < 50; ++i) {
    fanfill::choose_isa(nullptr);
    const KernelTable* found[4] = {};
    std::vector<std::thread> threads;
    for (const KernelTable*& table : found) {
      threads.emplace_back([&table] { fanfill::find_kernel_table(nullptr, &table); });
    }
    for (std::thread& thread : threads) thread.join();
    for (const KernelTable* table : found) CHECK(table != nullptr && table == found[0]);
  }
}

// The functions that take an instruction set by name check their arguments before they use it.
void bad_output_is_refused() {
  using fanfill::DType;
  alignas(8) unsigned char memory[64] = {};
  auto* word = reinterpret_cast<std::uint32_t*>(memory);
  auto* misaligned_word = reinterpret_cast<std::uint32_t*>(memory + 2);
  const auto* value = reinterpret_cast<const float*>(memory);
  CHECK(fanfill::raw_words("scalar", 0, 0, 0, 1, nullptr) == Status::kNullData);
  CHECK(fanfill::raw_words("scalar", 0, 0, 0, 1, misaligned_word) == Status::kMisaligned);
  CHECK(fanfill::raw_words("scalar", 0, 0, ~std::uint64_t{0}, 2, word) == Status::kTooLarge);
  CHECK(fanfill::round_to("scalar", DType::kFloat64, value, 1, memory) == Status::kBadArgument);
  CHECK(fanfill::round_to("scalar", DType::kFloat32, value, 1, memory) == Status::kBadArgument);
  CHECK(fanfill::round_to("scalar", DType::kFloat16, nullptr, 1, memory) == Status::kNullData);
  CHECK(fanfill::round_to("scalar", DType::kFloat16, value, 1, memory + 1) == Status::kMisaligned);
  const fanfill::Law law;
  CHECK(fanfill::transform("scalar", law, DType::kFloat32, nullptr, memory, 1, memory) == Status::kNullData);
  CHECK(fanfill::transform("scalar", law, DType::kFloat32, nullptr, nullptr, 0, nullptr) == Status::kOk);
  CHECK(fanfill::transform("scalar", law, DType::kFloat64, memory + 4, memory, 1, memory) ==
        Status::kMisaligned);
  CHECK(fanfill::transform("scalar", law, static_cast<DType>(6), memory, memory, 1, memory) ==
        Status::kBadArgument);
  CHECK(fanfill::check_law(law, static_cast<DType>(6)) == Status::kBadArgument);
  for (const unsigned char byte : memory) CHECK(byte == 0);
}

void every_status_has_its_sentence() {
  std::vector<const char*> seen;
  for (int i = 0; i <= static_cast<int>(Status::kTooNarrow); ++i) {
    const char* text = fanfill::message(static_cast<Status>(i));
    CHECK(std::strlen(text) > 10 && text[std::strlen(text) - 1] != '.');
    for (const char* other : seen) CHECK(!equal(text, other));
    seen.push_back(text);
  }
}

}  // namespace

int main() {
  the_table_ends_with_scalar();
  every_supported_one_is_found_by_its_own_name();
  the_cpu_is_read_as_the_compiler_reads_it();
  a_bad_name_changes_nothing();
  the_environment_forces_one();
  threads_agree_on_the_first_choice();
  bad_output_is_refused();
  every_status_has_its_sentence();
  return 0;
}
