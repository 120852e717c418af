// The exhaustive proof's tool: one check on one law per run, one line of JSON on stdout, exit 1 if it failed.
// It must not know what runs when, nor write anything but that line and the files it is told to.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>
#include <vector>

#include "code_mass.hpp"
#include "converter.hpp"
#include "octave_edge.hpp"
#include "sweep.hpp"
#include "tail_sweep.hpp"

namespace {

using namespace fanfill_exhaustive;
using Arguments = std::vector<std::string>;

constexpr const char* kUsage =
    "fanfill_exhaustive about\n"
    "                   sweep LAW float32|float64 all|edges:RADIUS_BITS|strata:BITS ISA...\n"
    "                   tails LAW BITS ISA...\n"
    "                   mass LAW DTYPE EVERY TAIL_BITS OUT_FILE ISA\n"
    "                   convert DTYPE EVERY ISA...\n"
    "                   values LAW float32|float64 IN_FILE OUT_FILE ISA\n";

[[noreturn]] void refuse(const std::string& what) {
  std::fprintf(stderr, "%s\n%s", what.c_str(), kUsage);
  std::exit(2);
}

const NamedLaw& law_named(const std::string& name) {
  const NamedLaw* law = find_law(name.c_str());
  if (law == nullptr) refuse("no law is named " + name);
  return *law;
}

const NarrowFormat& format_named(const std::string& name) {
  const NarrowFormat* format = find_format(name.c_str());
  if (format == nullptr) refuse("no narrow dtype is named " + name);
  return *format;
}

// Infinity as Python's json reads it.
std::string json_number(double v) {
  if (v == kInfinity) return "Infinity";
  if (v == -kInfinity) return "-Infinity";
  char buffer[40];
  std::snprintf(buffer, sizeof buffer, "%.17g", v);
  return buffer;
}

// What this tool was built from and can prove: contract, compiler, supported instruction sets, laws.
void about() {
  std::string isas, laws;
  for (std::size_t i = 0; i < fanfill::isa_count(); ++i) {
    if (fanfill::isa_supported(i))
      isas += (isas.empty() ? "\"" : ", \"") + std::string(fanfill::isa_name(i)) + '"';
  }
  for (const NamedLaw& named : kNamedLaws) {
    const fanfill::Law& law = named.law;
    const char* kind = law.kind == fanfill::LawKind::kNormal    ? "normal"
                       : law.kind == fanfill::LawKind::kUniform ? "uniform"
                                                                : "truncated_normal";
    laws += (laws.empty() ? "\"" : ", \"") + std::string(named.name) + "\": {\"kind\": \"" + kind + "\"";
    laws += ", \"mean\": " + json_number(law.mean) + ", \"std\": " + json_number(law.std);
    laws += ", \"low\": " + json_number(named.low) + ", \"high\": " + json_number(named.high);
    laws += std::string(", \"deep\": ") + (named.deep_low || named.deep_high ? "true" : "false") + "}";
  }
  std::printf("{\"contract\": %d, \"compiler\": \"%s\", \"isas\": [%s], \"laws\": {%s}}\n",
              fanfill::kContractVersion, __VERSION__, isas.c_str(), laws.c_str());
}

template <class Word>
IndexSet<Word> index_set(const std::string& name, const std::string& isa, const NamedLaw& law) {
  if (name == "all" && sizeof(Word) == 4) return IndexSet<Word>::all();
  if (name.rfind("edges:", 0) == 0)
    return IndexSet<Word>::around(octave_edges<Word>(isa, law),
                                  static_cast<Word>(Word{1} << std::atoi(name.c_str() + 6)));
  if (name.rfind("strata:", 0) == 0) return IndexSet<Word>::strata(std::atoi(name.c_str() + 7));
  refuse("no set of words is named " + name);
}

template <class Word>
void sweep(const NamedLaw& law, const std::string& set, const Arguments& isas, Report* report) {
  report->text("set", set);
  Sweep<Word>(law, isas, report).run(index_set<Word>(set, isas[0], law));
}

template <class Code>
void mass(const NamedLaw& law, const NarrowFormat& format, const Arguments& a, Report* report) {
  CodeMass<Code> mass(law, format.dtype, a[5], std::atoi(a[3].c_str()), report);
  const std::vector<std::uint64_t>& counts = mass.run(std::strtoull(a[2].c_str(), nullptr, 10));
  std::ofstream(a[4], std::ios::binary)
      .write(reinterpret_cast<const char*>(counts.data()),
             static_cast<std::streamsize>(counts.size() * sizeof counts[0]));
  report->text("dtype", format.name);
}

// The input file holds words and then as many tail words.
template <class Word>
void values(const NamedLaw& law, const Arguments& a) {
  std::ifstream in(a[2], std::ios::binary | std::ios::ate);
  if (!in) refuse("cannot read " + a[2]);
  const std::size_t count = static_cast<std::size_t>(in.tellg()) / sizeof(Word) / 2;
  std::vector<Word> words(count), tails(count);
  const std::streamsize bytes = static_cast<std::streamsize>(count * sizeof(Word));
  in.seekg(0);
  in.read(reinterpret_cast<char*>(words.data()), bytes);
  in.read(reinterpret_cast<char*>(tails.data()), bytes);
  std::vector<typename Arithmetic<Word>::Value> out(count);
  draw(a[4], law.law, words.data(), tails.data(), count, out.data());
  std::ofstream(a[3], std::ios::binary).write(reinterpret_cast<const char*>(out.data()), bytes);
}

void run(const std::string& check, const Arguments& a, Report* report) {
  const auto from = [&a](std::size_t i) {
    return Arguments(a.begin() + static_cast<std::ptrdiff_t>(i), a.end());
  };
  report->text("check", check);
  if (check == "sweep" && a.size() >= 4 && a[1] == "float32") {
    sweep<std::uint32_t>(law_named(a[0]), a[2], from(3), report);
  } else if (check == "sweep" && a.size() >= 4 && a[1] == "float64") {
    sweep<std::uint64_t>(law_named(a[0]), a[2], from(3), report);
  } else if (check == "tails" && a.size() >= 3) {
    const Arguments isas = from(2);
    TailSweep(law_named(a[0]), isas, report).run(std::atoi(a[1].c_str()));
  } else if (check == "mass" && a.size() == 6) {
    const NarrowFormat& format = format_named(a[1]);
    if (format.fraction_bits + format.exponent_bits > 7)
      mass<std::uint16_t>(law_named(a[0]), format, a, report);
    else
      mass<std::uint8_t>(law_named(a[0]), format, a, report);
  } else if (check == "convert" && a.size() >= 3) {
    const NarrowFormat& format = format_named(a[0]);
    const Arguments isas = from(2);
    const std::uint64_t every = std::strtoull(a[1].c_str(), nullptr, 10);
    if (format.fraction_bits + format.exponent_bits > 7)
      Converter<std::uint16_t>(format, isas, report).run(every);
    else
      Converter<std::uint8_t>(format, isas, report).run(every);
  } else if (check == "values" && a.size() == 5 && a[1] == "float32") {
    values<std::uint32_t>(law_named(a[0]), a);
  } else if (check == "values" && a.size() == 5 && a[1] == "float64") {
    values<std::uint64_t>(law_named(a[0]), a);
  } else {
    refuse("cannot read these arguments");
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) refuse("which check?");
  if (std::strcmp(argv[1], "about") == 0) {
    about();
    return 0;
  }
  Report report;
  run(argv[1], Arguments(argv + 2, argv + argc), &report);
  report.print();
  return report.passed() ? 0 : 1;
}
