// One English sentence for each status.
// It must not know which argument of which caller was at fault.
#include "fanfill/fanfill.hpp"

namespace fanfill {

const char* message(Status status) noexcept {
  switch (status) {
    case Status::kOk:
      return "Everything was written";
    case Status::kInterrupted:
      return "The fill was interrupted, and part of the elements is written";
    case Status::kNullData:
      return "The memory has elements but its address is null";
    case Status::kMisaligned:
      return "An address or a stride is not a multiple of the element size";
    case Status::kBadRegion:
      return "The runs of a dimension must lie within its extent, ascend and not overlap, and its memory "
             "must be "
             "addressable";
    case Status::kTooLarge:
      return "The tensor has more than 2^62 elements";
    case Status::kNotFinite:
      return "A parameter of the law is NaN or infinite where it must be finite";
    case Status::kBadStd:
      return "The standard deviation is negative, or ten of them from the mean lie beyond the finite range "
             "of "
             "the arithmetic of the dtype, or 2^-31 of it (for float64 2^-63) is subnormal there";
    case Status::kBadMean:
      return "A mean, value or bound is beyond the finite range of the arithmetic of the dtype";
    case Status::kEmptyInterval:
      return "The lower bound is not below the upper bound, or no value of the dtype lies in the interval";
    case Status::kBoundsTooFar:
      return "The interval lies beyond 37 standard deviations from the mean";
    case Status::kNotSymmetric:
      return "A corrected variance needs bounds in standard deviations that are symmetric around the mean";
    case Status::kUnknownIsa:
      return "No instruction set of this name is built into the library; the names are avx512, avx2, neon "
             "and "
             "scalar, in lower case";
    case Status::kUnsupportedIsa:
      return "This CPU or operating system lacks the instruction set";
    case Status::kBadArgument:
      return "An argument is out of its range, or a pointer to a list or to output is null";
    case Status::kTooNarrow:
      return "The interval is so narrow, or so near to zero, that its step would be subnormal";
    case Status::kNotPositive:
      return "A bound of a log-uniform law, or a value whose logarithm or inverse softplus is wanted, is not "
             "positive";
  }
  return "Not a status of this library";
}

}  // namespace fanfill
