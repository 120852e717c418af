# What Cython may cimport from fanfill: the C interface, as fanfill/fanfill.h declares and explains it.
# It must not know more than that header; link with the target fanfill::fanfill of the CMake package.
from libc.stdint cimport int32_t, int64_t, uint64_t

cdef extern from "fanfill/fanfill.h" nogil:
    const int FANFILL_ABI

    enum fanfill_dtype:
        FANFILL_FLOAT64
        FANFILL_FLOAT32
        FANFILL_BFLOAT16
        FANFILL_FLOAT16
        FANFILL_FLOAT8_E4M3FN
        FANFILL_FLOAT8_E5M2

    enum fanfill_law:
        FANFILL_CONSTANT
        FANFILL_UNIFORM
        FANFILL_NORMAL
        FANFILL_TRUNCATED_NORMAL
        FANFILL_LOG_UNIFORM
        FANFILL_ARANGE

    enum fanfill_bound_unit:
        FANFILL_ABSOLUTE
        FANFILL_SIGMA

    enum fanfill_value_map:
        FANFILL_IDENTITY
        FANFILL_LOG
        FANFILL_INVERSE_SOFTPLUS

    enum fanfill_status:
        FANFILL_OK
        FANFILL_INTERRUPTED
        FANFILL_NULL_DATA
        FANFILL_MISALIGNED
        FANFILL_BAD_REGION
        FANFILL_TOO_LARGE
        FANFILL_NOT_FINITE
        FANFILL_BAD_STD
        FANFILL_BAD_MEAN
        FANFILL_EMPTY_INTERVAL
        FANFILL_BOUNDS_TOO_FAR
        FANFILL_NOT_SYMMETRIC
        FANFILL_UNKNOWN_ISA
        FANFILL_UNSUPPORTED_ISA
        FANFILL_BAD_ARGUMENT
        FANFILL_TOO_NARROW
        FANFILL_NOT_POSITIVE
        FANFILL_NO_MEMORY
        FANFILL_BAD_ABI

    ctypedef struct fanfill_job:
        void* data
        int32_t dtype
        int32_t law
        int32_t bound_unit
        int32_t value_map
        int32_t correct_variance
        int32_t rank
        double mean
        double std
        double low
        double high
        double floor
        double step
        uint64_t period
        uint64_t stream
        const uint64_t* shape
        const int64_t* byte_strides
        const uint64_t* global_shape
        const uint64_t* offset

    int fanfill_fill(int abi, const fanfill_job* jobs, size_t count, uint64_t seed, int threads)
    const char* fanfill_message(int status)
    int fanfill_abi()
    int fanfill_contract_version()
