// The kernels in plain C++: its lanes, then everything that is written once over lanes.
// It must not know an algorithm, and must leave nothing behind but its table.
#include "../lanes/scalar.hpp"

#include "../kernel/kernels.hpp"

namespace fanfill {
extern const KernelTable kernel_table_scalar;
const KernelTable kernel_table_scalar = make_table("scalar");
}  // namespace fanfill
