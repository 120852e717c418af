// A program that fills many small jobs, or the rows of a matrix's part, and nothing else, to be run under a
// counter of instructions. It must not print, and must not know what is counted.
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "fanfill/fanfill.hpp"

namespace {

int fill_jobs(std::size_t count, std::uint64_t values) {
  std::vector<float> memory(values);
  const fanfill::Run run{0, values};
  const fanfill::Axis axis{values, 4, &run, 1};
  std::vector<fanfill::Job> jobs(count);
  for (std::size_t i = 0; i < count; ++i) {
    jobs[i].data = memory.data();  // one after the other on this thread, so they may share it
    jobs[i].law.kind = i % 2 == 0 ? fanfill::LawKind::kNormal : fanfill::LawKind::kUniform;
    jobs[i].law.std = 1.0;
    jobs[i].law.high = 1.0;
    jobs[i].stream = i;
    jobs[i].axes = &axis;
    jobs[i].rank = 1;
  }
  return fanfill::fill_many(jobs.data(), count, fanfill::Options{}) == fanfill::Status::kOk ? 0 : 1;
}

int fill_rows(std::uint64_t rows, std::uint64_t width) {
  std::vector<float> memory(rows * width);
  const fanfill::Run runs[] = {{0, rows}, {1, width}};
  const fanfill::Axis axes[] = {{rows, static_cast<std::int64_t>(4 * width), &runs[0], 1},
                                {2 * width + 3, 4, &runs[1], 1}};
  fanfill::Job job;
  job.data = memory.data();
  job.law.kind = fanfill::LawKind::kNormal;
  job.law.std = 1.0;
  job.axes = axes;
  job.rank = 2;
  return fanfill::fill(job, fanfill::Options{}) == fanfill::Status::kOk ? 0 : 1;
}

}  // namespace

// "jobs" or "rows", their count, and the values of each.
int main(int argc, char** argv) {
  if (argc != 4) return 2;
  const std::uint64_t count = std::strtoull(argv[2], nullptr, 10);
  const std::uint64_t values = std::strtoull(argv[3], nullptr, 10);
  return std::strcmp(argv[1], "jobs") == 0 ? fill_jobs(count, values) : fill_rows(count, values);
}
