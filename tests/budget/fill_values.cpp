// Fills one buffer again and again through fanfill::fill, for tools that count a program's instructions.
// It must not know the tool, nor choose the instruction set: FANFILL_ISA does, and the one that ran is
// printed.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "fanfill/fanfill.hpp"

namespace {

struct NamedDType {
  const char* name;
  fanfill::DType dtype;
  std::size_t size;
};

constexpr NamedDType kDTypes[] = {
    {"float64", fanfill::DType::kFloat64, 8},          {"float32", fanfill::DType::kFloat32, 4},
    {"bfloat16", fanfill::DType::kBFloat16, 2},        {"float16", fanfill::DType::kFloat16, 2},
    {"float8_e4m3fn", fanfill::DType::kFloat8E4M3, 1}, {"float8_e5m2", fanfill::DType::kFloat8E5M2, 1},
};

bool find_law(const char* name, fanfill::Law* law) {
  law->std = 1.0;
  if (std::strcmp(name, "normal") == 0) {
    law->kind = fanfill::LawKind::kNormal;
  } else if (std::strcmp(name, "uniform") == 0 || std::strcmp(name, "uniform_symmetric") == 0) {
    law->kind = fanfill::LawKind::kUniform;
    law->low = std::strcmp(name, "uniform_symmetric") == 0 ? -1.0 : 0.0;
    law->high = 1.0;
  } else if (std::strcmp(name, "truncated") == 0) {
    law->kind = fanfill::LawKind::kTruncatedNormal;
    law->unit = fanfill::BoundUnit::kSigma;
    law->low = -2.0;
    law->high = 2.0;
  } else {
    return false;
  }
  return true;
}

const NamedDType* find_dtype(const char* name) {
  for (const NamedDType& known : kDTypes) {
    if (std::strcmp(name, known.name) == 0) return &known;
  }
  return nullptr;
}

// Every fill has its own stream, so that the rare words of many are counted.
bool fill_again(fanfill::Job job, std::uint64_t fills) {
  const fanfill::Options options;
  for (std::uint64_t i = 0; i < fills; ++i) {
    job.stream = i;
    if (fanfill::fill(job, options) != fanfill::Status::kOk) return false;
  }
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  fanfill::Job job;
  const NamedDType* dtype = argc == 5 ? find_dtype(argv[2]) : nullptr;
  if (dtype == nullptr || !find_law(argv[1], &job.law)) {
    std::fprintf(stderr, "usage: fill_values normal|uniform|truncated DTYPE BYTES FILLS\n");
    return 2;
  }
  const std::uint64_t bytes = std::strtoull(argv[3], nullptr, 10);
  const std::uint64_t fills = std::strtoull(argv[4], nullptr, 10);
  std::vector<double> memory(bytes / sizeof(double));

  const fanfill::Run all{0, memory.size() * sizeof(double) / dtype->size};
  const fanfill::Axis axis{all.count, static_cast<std::int64_t>(dtype->size), &all, 1};
  job.data = memory.data();
  job.dtype = dtype->dtype;
  job.axes = &axis;
  job.rank = 1;
  fanfill::Status status = fanfill::Status::kOk;
  const char* isa = fanfill::chosen_isa(&status);
  if (isa == nullptr || !fill_again(job, fills)) return 1;
  std::printf("%s %llu\n", isa, static_cast<unsigned long long>(all.count));
  return 0;
}
