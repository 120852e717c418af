// Fills a std::vector with He-normal weights and prints what they are.
// Python has the same bits: ff.he_normal((256, 1024), seed=7, key=3).
#include <cmath>
#include <cstdio>
#include <vector>

#include "fanfill/fanfill.hpp"

int main() {
  const std::uint64_t fan_out = 256, fan_in = 1024;
  std::vector<float> weights(fan_out * fan_in);

  const fanfill::Run rows{0, fan_out}, columns{0, fan_in};
  const fanfill::Axis axes[] = {
      {fan_out, static_cast<std::int64_t>(fan_in * sizeof(float)), &rows, 1},
      {fan_in, sizeof(float), &columns, 1},
  };
  fanfill::Job job;
  job.data = weights.data();
  job.law.kind = fanfill::LawKind::kNormal;
  job.law.std = std::sqrt(2.0 / static_cast<double>(fan_in));
  job.stream = 3;
  job.axes = axes;
  job.rank = 2;
  fanfill::Options options;
  options.seed = 7;
  options.threads = 2;
  const fanfill::Status status = fanfill::fill(job, options);
  if (status != fanfill::Status::kOk) {
    std::fprintf(stderr, "%s\n", fanfill::message(status));
    return 1;
  }

  double square_sum = 0.0;
  for (const float w : weights) square_sum += double{w} * w;
  std::printf("std %.6f, wanted %.6f\n", std::sqrt(square_sum / static_cast<double>(weights.size())),
              job.law.std);
  std::printf("first %a %a %a\n", weights[0], weights[1], weights[2]);
}
