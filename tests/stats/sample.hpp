// Samples: which elements of which streams of a law are counted, chunk by chunk, in memory of fixed size.
// It must not know what is counted, nor how a value is made.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "fanfill/fanfill.hpp"

namespace fanfill_stats {

inline constexpr std::uint64_t kExtent = std::uint64_t{1}
                                         << 62;  // of the tensor that every sample is cut from

struct Place {
  std::uint64_t seed = 0, stream = 0, start = 0;
};

[[noreturn]] inline void refuse(const std::string& what) {
  std::fprintf(stderr, "%s\n", what.c_str());
  std::exit(2);
}

// Fills `count` elements from `place` on, as a user would.
template <class Element>
void draw(const fanfill::Law& law, fanfill::DType dtype, const Place& place, std::size_t count,
          Element* out) {
  const fanfill::Run run{place.start, count};
  const fanfill::Axis axis{kExtent, sizeof(Element), &run, 1};
  fanfill::Job job;
  job.data = out;
  job.dtype = dtype;
  job.law = law;
  job.stream = place.stream;
  job.axes = &axis;
  job.rank = 1;
  fanfill::Options options;
  options.seed = place.seed;
  const fanfill::Status status = fanfill::fill(job, options);
  if (status != fanfill::Status::kOk) refuse(fanfill::message(status));
}

// Calls `each(values, n)` with consecutive chunks of `count` elements, each followed in memory by `ahead`
// more elements that belong to the next.
template <class Element, class Each>
void for_each_chunk(const fanfill::Law& law, fanfill::DType dtype, Place place, std::uint64_t count,
                    std::size_t ahead, Each each) {
  constexpr std::size_t kChunk = std::size_t{3} << 13;  // a multiple of pairs, triples and cache lines
  std::vector<Element> values(kChunk + ahead);
  while (count > 0) {
    const std::size_t n = count < kChunk ? static_cast<std::size_t>(count) : kChunk;
    draw(law, dtype, place, n + ahead, values.data());
    each(values.data(), n);
    place.start += n;
    count -= n;
  }
}

inline fanfill::Law standard_normal() {
  fanfill::Law law;
  law.kind = fanfill::LawKind::kNormal;
  law.std = 1.0;
  return law;
}

// KIND:A:B[:C:D], with a normal's mean and std, a uniform's bounds, a truncated normal's mean, std and bounds
// in sigmas.
inline fanfill::Law law_named(const std::string& text) {
  std::vector<std::string> part(1);
  for (const char c : text) {
    if (c == ':')
      part.emplace_back();
    else
      part.back() += c;
  }
  const auto number = [&part](std::size_t i) { return std::strtod(part[i].c_str(), nullptr); };
  fanfill::Law law = standard_normal();
  if (part[0] == "normal" && part.size() == 3) {
    law.mean = number(1);
    law.std = number(2);
  } else if (part[0] == "uniform" && part.size() == 3) {
    law.kind = fanfill::LawKind::kUniform;
    law.low = number(1);
    law.high = number(2);
  } else if (part[0] == "truncated" && part.size() == 5) {
    law.kind = fanfill::LawKind::kTruncatedNormal;
    law.unit = fanfill::BoundUnit::kSigma;
    law.mean = number(1);
    law.std = number(2);
    law.low = number(3);
    law.high = number(4);
  } else {
    refuse("no law is written " + text);
  }
  return law;
}

}  // namespace fanfill_stats
