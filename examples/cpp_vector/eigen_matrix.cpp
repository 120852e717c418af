// Fills a block of an Eigen matrix, which is column-major and has gaps, through the C interface.
// Its elements are those of the whole tensor: value (i, j) does not depend on how memory holds it.
#include <Eigen/Dense>
#include <cstdio>

#include "fanfill/fanfill.h"

int main() {
  Eigen::MatrixXd matrix = Eigen::MatrixXd::Zero(6, 5);
  auto block = matrix.block(1, 1, 4, 3);  // whose rows 0 ... 3 are rows 2 ... 5 of a tensor of 100 x 3

  const std::uint64_t shape[] = {4, 3}, global_shape[] = {100, 3}, offset[] = {2, 0};
  const std::int64_t strides[] = {sizeof(double), static_cast<std::int64_t>(sizeof(double)) * matrix.rows()};
  fanfill_job job = {};
  job.data = block.data();
  job.dtype = FANFILL_FLOAT64;
  job.law = FANFILL_UNIFORM;
  job.low = -1.0;
  job.high = 1.0;
  job.stream = 3;
  job.rank = 2;
  job.shape = shape;
  job.byte_strides = strides;
  job.global_shape = global_shape;
  job.offset = offset;
  const int status = fanfill_fill(FANFILL_ABI, &job, 1, /*seed=*/7, /*threads=*/1);
  if (status != FANFILL_OK) {
    std::fprintf(stderr, "%s\n", fanfill_message(status));
    return 1;
  }
  for (int i = 0; i < matrix.rows(); ++i) {
    for (int j = 0; j < matrix.cols(); ++j) std::printf("%a%c", matrix(i, j), j < 4 ? ' ' : '\n');
  }
}
