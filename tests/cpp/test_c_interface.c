// The C interface from C: the layout that its ABI number stands for, boxes of tensors, and what it refuses.
// It must not know the bits: one call's are compared with another's.
#include <fanfill/fanfill.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition)                                                            \
  do {                                                                              \
    if (!(condition)) {                                                             \
      fprintf(stderr, "%s:%d: check failed: %s\n", __FILE__, __LINE__, #condition); \
      abort();                                                                      \
    }                                                                               \
  } while (0)

// A change of any of these is a change of FANFILL_ABI.
_Static_assert(FANFILL_ABI == 1, "the layout below is that of ABI 1");
_Static_assert(sizeof(fanfill_job) == 128, "size");
_Static_assert(offsetof(fanfill_job, dtype) == 8 && offsetof(fanfill_job, rank) == 28, "integers");
_Static_assert(offsetof(fanfill_job, mean) == 32 && offsetof(fanfill_job, step) == 72, "parameters");
_Static_assert(offsetof(fanfill_job, period) == 80 && offsetof(fanfill_job, stream) == 88, "64 bits");
_Static_assert(offsetof(fanfill_job, shape) == 96 && offsetof(fanfill_job, offset) == 120, "pointers");
_Static_assert(FANFILL_FLOAT8_E5M2 == 5 && FANFILL_ARANGE == 5 && FANFILL_NOT_POSITIVE == 16, "numbers");

enum { ROWS = 40, COLUMNS = 30 };
static const uint64_t whole_shape[] = {ROWS, COLUMNS};

static fanfill_job normals(float* data, const uint64_t* shape) {
  fanfill_job job = {0};
  job.data = data;
  job.dtype = FANFILL_FLOAT32;
  job.law = FANFILL_NORMAL;
  job.std = 0.02;
  job.stream = 3;
  job.rank = 2;
  job.shape = shape;
  return job;
}

static int fill_one(const fanfill_job* job) { return fanfill_fill(FANFILL_ABI, job, 1, 7, 2); }

static void versions(void) {
  CHECK(fanfill_abi() == FANFILL_ABI);
  CHECK(fanfill_contract_version() == 1);
}

static void a_box_holds_the_elements_of_the_whole(void) {
  static float whole[ROWS][COLUMNS], box[7][11], columns[11][7];
  const uint64_t shape[] = {7, 11}, offset[] = {5, 2};
  const int64_t turned[] = {sizeof(float), 7 * sizeof(float)};
  fanfill_job job = normals(&whole[0][0], whole_shape);
  CHECK(fill_one(&job) == FANFILL_OK);
  fanfill_job jobs[] = {normals(&box[0][0], shape), normals(&columns[0][0], shape)};
  for (int i = 0; i < 2; ++i) {
    jobs[i].global_shape = whole_shape;
    jobs[i].offset = offset;
  }
  jobs[1].byte_strides = turned;
  CHECK(fanfill_fill(FANFILL_ABI, jobs, 2, 7, 1) == FANFILL_OK);
  for (int i = 0; i < 7; ++i) {
    for (int j = 0; j < 11; ++j) {
      CHECK(box[i][j] == whole[i + 5][j + 2] && box[i][j] != 0.0f);
      CHECK(columns[j][i] == box[i][j]);
    }
  }
}

static void scalars_and_nothing(void) {
  float value = 0.0f;
  fanfill_job job = normals(&value, NULL);
  job.rank = 0;
  CHECK(fill_one(&job) == FANFILL_OK && value != 0.0f);
  const uint64_t empty[] = {0, 5};
  job = normals(NULL, empty);
  CHECK(fill_one(&job) == FANFILL_OK);
  CHECK(fanfill_fill(FANFILL_ABI, NULL, 0, 7, 1) == FANFILL_OK);
}

// Each fault is refused with its own status, and the memory is as it was.
static void refusals(void) {
  static float data[ROWS * COLUMNS];
  static const uint64_t huge[] = {UINT64_MAX, UINT64_MAX};
  const fanfill_job good = normals(data, whole_shape);
#define REFUSED(status, change)                 \
  do {                                          \
    fanfill_job job = good;                     \
    change;                                     \
    CHECK(fill_one(&job) == (status));          \
    CHECK(strlen(fanfill_message(status)) > 8); \
  } while (0)
  REFUSED(FANFILL_BAD_ARGUMENT, job.dtype = 6);
  REFUSED(FANFILL_BAD_ARGUMENT, job.dtype = -1);
  REFUSED(FANFILL_BAD_ARGUMENT, job.law = 6);
  REFUSED(FANFILL_BAD_ARGUMENT, job.bound_unit = 2);
  REFUSED(FANFILL_BAD_ARGUMENT, job.value_map = 3);
  REFUSED(FANFILL_BAD_ARGUMENT, job.correct_variance = 2);
  REFUSED(FANFILL_BAD_ARGUMENT, job.rank = 65);
  REFUSED(FANFILL_BAD_ARGUMENT, job.rank = -1);
  REFUSED(FANFILL_BAD_ARGUMENT, job.shape = NULL);
  REFUSED(FANFILL_NULL_DATA, job.data = NULL);
  REFUSED(FANFILL_MISALIGNED, job.data = (char*)data + 1);
  REFUSED(FANFILL_TOO_LARGE, job.shape = huge);
  REFUSED(FANFILL_BAD_REGION, job.offset = whole_shape);
  REFUSED(FANFILL_BAD_STD, job.std = -1.0);
  CHECK(fanfill_fill(FANFILL_ABI + 1, &good, 1, 7, 1) == FANFILL_BAD_ABI);
  CHECK(fanfill_fill(FANFILL_ABI, NULL, 1, 7, 1) == FANFILL_NULL_DATA);
  CHECK(fanfill_fill(FANFILL_ABI, &good, 1, 7, 0) == FANFILL_BAD_ARGUMENT);
  for (int i = 0; i < ROWS * COLUMNS; ++i) CHECK(data[i] == 0.0f);
  CHECK(strcmp(fanfill_message(-1), "not a status") == 0 && strcmp(fanfill_message(17), "not a status") == 0);
}

int main(void) {
  versions();
  a_box_holds_the_elements_of_the_whole();
  scalars_and_nothing();
  refusals();
  return 0;
}
