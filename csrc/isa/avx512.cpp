// The kernels in AVX-512 (F, BW, DQ, VL): its lanes, then everything that is written once over lanes.
// It must not know an algorithm, and must leave nothing behind but its table.
#include "../lanes/avx512.hpp"

#include "../kernel/kernels.hpp"

namespace fanfill {
extern const KernelTable kernel_table_avx512;
const KernelTable kernel_table_avx512 = make_table("avx512");
}  // namespace fanfill
