// The kernels in AVX2 with FMA and F16C: its lanes, then everything that is written once over lanes.
// It must not know an algorithm, and must leave nothing behind but its table.
#include "../lanes/avx2.hpp"

#include "../kernel/kernels.hpp"

namespace fanfill {
extern const KernelTable kernel_table_avx2;
const KernelTable kernel_table_avx2 = make_table("avx2");
}  // namespace fanfill
