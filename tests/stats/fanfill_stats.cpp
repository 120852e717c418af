// The sampling tests' counter: one count of one sample per run, written to a file as 64-bit numbers.
// It must not know what the numbers should be.
#include <cstdio>
#include <cstring>
#include <fstream>
#include <string>
#include <vector>

#include "count.hpp"

namespace {

using namespace fanfill_stats;
using Arguments = std::vector<std::string>;

constexpr const char* kUsage =
    "fanfill_stats about\n"
    "              codes LAW DTYPE SEED STREAM START COUNT OUT_FILE\n"
    "              cells|moments|squares|tails float32|float64 SEED STREAM START COUNT OUT_FILE\n"
    "              neighbours PLACES_FILE COUNT OUT_FILE\n"
    "              avalanche SEED COUNT OUT_FILE\n"
    "              words SEED STREAM START COUNT OUT_FILE";

constexpr const char* kDTypes[] = {"float64", "float32",       "bfloat16",
                                   "float16", "float8_e4m3fn", "float8_e5m2"};
static_assert(sizeof kDTypes / sizeof kDTypes[0] == fanfill::kDTypeCount, "every dtype has its name");

fanfill::DType dtype_named(const std::string& name) {
  for (int i = 0; i < fanfill::kDTypeCount; ++i)
    if (name == kDTypes[i]) return static_cast<fanfill::DType>(i);
  refuse("no dtype is named " + name);
}

std::uint64_t integer(const std::string& text) { return std::strtoull(text.c_str(), nullptr, 10); }

template <class Number>
void write(const std::string& path, const std::vector<Number>& numbers) {
  std::ofstream out(path, std::ios::binary);
  out.write(reinterpret_cast<const char*>(numbers.data()),
            static_cast<std::streamsize>(numbers.size() * sizeof(Number)));
  if (!out.flush()) refuse("cannot write " + path);
}

std::vector<Place> places_in(const std::string& path) {
  std::ifstream in(path, std::ios::binary | std::ios::ate);
  if (!in) refuse("cannot read " + path);
  std::vector<Place> places(static_cast<std::size_t>(in.tellg()) / sizeof(Place));
  in.seekg(0);
  in.read(reinterpret_cast<char*>(places.data()),
          static_cast<std::streamsize>(places.size() * sizeof(Place)));
  if (places.size() < 2) refuse("neighbours are at least two");
  return places;
}

void about() {
  std::string isas;
  for (std::size_t i = 0; i < fanfill::isa_count(); ++i)
    if (fanfill::isa_supported(i))
      isas += (isas.empty() ? "\"" : ", \"") + std::string(fanfill::isa_name(i)) + '"';
  std::printf("{\"contract\": %d, \"compiler\": \"%s\", \"isas\": [%s], \"chosen\": \"%s\"}\n",
              fanfill::kContractVersion, __VERSION__, isas.c_str(), fanfill::chosen_isa(nullptr));
}

template <class Value>
void count_values(const std::string& what, const Arguments& a) {
  const fanfill::DType dtype = dtype_named(a[0]);
  const Place place{integer(a[1]), integer(a[2]), integer(a[3])};
  const std::uint64_t count = integer(a[4]);
  if (what == "cells")
    write(a[5], cells<Value>(dtype, place, count));
  else if (what == "moments")
    write(a[5], moments<Value>(dtype, place, count));
  else if (what == "squares")
    write(a[5], squares<Value>(dtype, place, count));
  else
    write(a[5], tails<Value>(dtype, place, count));
}

void count_codes(const Arguments& a) {
  const fanfill::Law law = law_named(a[0]);
  const fanfill::DType dtype = dtype_named(a[1]);
  const Place place{integer(a[2]), integer(a[3]), integer(a[4])};
  if (dtype == fanfill::DType::kBFloat16 || dtype == fanfill::DType::kFloat16)
    write(a[6], codes<std::uint16_t>(law, dtype, place, integer(a[5])));
  else if (dtype == fanfill::DType::kFloat8E4M3 || dtype == fanfill::DType::kFloat8E5M2)
    write(a[6], codes<std::uint8_t>(law, dtype, place, integer(a[5])));
  else
    refuse("codes are counted of narrow dtypes");
}

void run(const std::string& what, const Arguments& a) {
  const bool is_of_values = what == "cells" || what == "moments" || what == "squares" || what == "tails";
  if (is_of_values && a.size() == 6 && a[0] == "float32") {
    count_values<float>(what, a);
  } else if (is_of_values && a.size() == 6 && a[0] == "float64") {
    count_values<double>(what, a);
  } else if (what == "codes" && a.size() == 7) {
    count_codes(a);
  } else if (what == "neighbours" && a.size() == 3) {
    write(a[2], neighbours(places_in(a[0]), integer(a[1])));
  } else if (what == "avalanche" && a.size() == 3) {
    write(a[2], avalanche(integer(a[0]), integer(a[1])));
  } else if (what == "words" && a.size() == 5) {
    std::vector<std::uint32_t> words(integer(a[3]));
    const fanfill::Status status =
        fanfill::raw_words(nullptr, integer(a[0]), integer(a[1]), integer(a[2]), words.size(), words.data());
    if (status != fanfill::Status::kOk) refuse(fanfill::message(status));
    write(a[4], words);
  } else {
    refuse(kUsage);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) refuse(kUsage);
  if (std::strcmp(argv[1], "about") == 0)
    about();
  else
    run(argv[1], Arguments(argv + 2, argv + argc));
  return 0;
}
