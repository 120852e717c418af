// The kernels in AArch64 Advanced SIMD: its lanes, then everything that is written once over lanes.
// It must not know an algorithm, and must leave nothing behind but its table.
#include "../lanes/neon.hpp"

#include "../kernel/kernels.hpp"

namespace fanfill {
extern const KernelTable kernel_table_neon;
const KernelTable kernel_table_neon = make_table("neon");
}  // namespace fanfill
