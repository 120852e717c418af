/* The C interface of fanfill: one struct for a job, one function that fills, error codes.
 * It must not know more than fanfill.hpp, whose meanings and values it repeats for other languages. */
#ifndef FANFILL_H
#define FANFILL_H

#include <stddef.h>
#include <stdint.h>

/* The layout of fanfill_job and the meaning of what is below. Pass it to fanfill_fill, which refuses another.
 */
#define FANFILL_ABI 1

#if defined(_WIN32) && defined(FANFILL_IS_BUILT)
#define FANFILL_EXPORT __declspec(dllexport)
#elif defined(__GNUC__) && !defined(_WIN32)
#define FANFILL_EXPORT __attribute__((visibility("default")))
#else
#define FANFILL_EXPORT
#endif

#ifdef __cplusplus
extern "C" {
#endif

enum fanfill_dtype {
  FANFILL_FLOAT64,
  FANFILL_FLOAT32,
  FANFILL_BFLOAT16,
  FANFILL_FLOAT16,
  FANFILL_FLOAT8_E4M3FN,
  FANFILL_FLOAT8_E5M2
};

enum fanfill_law {
  FANFILL_CONSTANT,         /* mean */
  FANFILL_UNIFORM,          /* low, high: [low, high) */
  FANFILL_NORMAL,           /* mean, std */
  FANFILL_TRUNCATED_NORMAL, /* mean, std, low, high, bound_unit, correct_variance */
  FANFILL_LOG_UNIFORM,      /* low, high, floor, value_map */
  FANFILL_ARANGE            /* low (the first element), step, period, value_map */
};

enum fanfill_bound_unit { FANFILL_ABSOLUTE, FANFILL_SIGMA };

enum fanfill_value_map { FANFILL_IDENTITY, FANFILL_LOG, FANFILL_INVERSE_SOFTPLUS };

enum fanfill_status {
  FANFILL_OK,
  FANFILL_INTERRUPTED, /* never returned here */
  FANFILL_NULL_DATA,
  FANFILL_MISALIGNED,
  FANFILL_BAD_REGION,
  FANFILL_TOO_LARGE,
  FANFILL_NOT_FINITE,
  FANFILL_BAD_STD,
  FANFILL_BAD_MEAN,
  FANFILL_EMPTY_INTERVAL,
  FANFILL_BOUNDS_TOO_FAR,
  FANFILL_NOT_SYMMETRIC,
  FANFILL_UNKNOWN_ISA,
  FANFILL_UNSUPPORTED_ISA,
  FANFILL_BAD_ARGUMENT,
  FANFILL_TOO_NARROW,
  FANFILL_NOT_POSITIVE,
  FANFILL_NO_MEMORY = 100, /* for a few numbers per job; the tensors themselves need none */
  FANFILL_BAD_ABI          /* compiled against a header of another version */
};

/* One tensor, or a box of it that this memory holds. Begin with `fanfill_job job = {0};`. An element's value
 * depends on the seed, the stream, the law, the dtype and its row-major index in the global tensor alone. */
typedef struct fanfill_job {
  void* data;               /* the element at index 0, ..., 0 of the memory */
  int32_t dtype;            /* enum fanfill_dtype */
  int32_t law;              /* enum fanfill_law; members that it does not name are ignored */
  int32_t bound_unit;       /* enum fanfill_bound_unit */
  int32_t value_map;        /* enum fanfill_value_map */
  int32_t correct_variance; /* 0 or 1 */
  int32_t rank;             /* dimensions, 0 ... 64 */
  double mean;
  double std;
  double low;
  double high;
  double floor;
  double step;
  uint64_t period;
  uint64_t stream;              /* which of the seed's streams: every tensor has its own */
  const uint64_t* shape;        /* of the memory */
  const int64_t* byte_strides;  /* null: row-major without gaps */
  const uint64_t* global_shape; /* null: the memory holds the whole tensor */
  const uint64_t* offset;       /* where the memory's box begins in the global tensor; null: zeros */
} fanfill_job;

/* Fills all jobs, whose memory must not overlap, with up to `threads` threads (at least 1), the caller's
 * among them. Returns FANFILL_OK, or the status of the first fault that it finds; then nothing has been
 * written. */
FANFILL_EXPORT int fanfill_fill(int abi, const fanfill_job* jobs, size_t count, uint64_t seed, int threads);

/* One English sentence for a status, without a full stop, static storage. */
FANFILL_EXPORT const char* fanfill_message(int status);

/* Of the library that is loaded: its FANFILL_ABI, and the version of the value contract, which says the bits.
 */
FANFILL_EXPORT int fanfill_abi(void);
FANFILL_EXPORT int fanfill_contract_version(void);

#ifdef __cplusplus
}
#endif

#endif
