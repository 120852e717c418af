# cython: language_level=3
"""A matrix of its own that fills itself: what an extension looks like that draws with fanfill.

It must not know NumPy or Python's side of fanfill; the bits are those that Python's side would write.
"""

from cpython.mem cimport PyMem_Free, PyMem_Malloc
from fanfill cimport FANFILL_ABI, FANFILL_FLOAT32, FANFILL_NORMAL, FANFILL_OK
from fanfill cimport fanfill_fill, fanfill_job, fanfill_message
from libc.stdint cimport uint64_t
from libc.string cimport memset


cdef class NoisyMatrix:
    """A matrix of float32 normals, drawn from stream `stream` of `seed`."""

    cdef float* data
    cdef uint64_t shape[2]

    def __cinit__(self, uint64_t rows, uint64_t columns, *, double std, uint64_t seed, uint64_t stream):
        cdef fanfill_job job
        cdef int status
        self.shape = [rows, columns]
        self.data = <float*>PyMem_Malloc(rows * columns * sizeof(float))
        if self.data == NULL:
            raise MemoryError
        memset(&job, 0, sizeof(fanfill_job))
        job.data = self.data
        job.dtype = FANFILL_FLOAT32
        job.law = FANFILL_NORMAL
        job.std = std
        job.stream = stream
        job.rank = 2
        job.shape = self.shape
        with nogil:
            status = fanfill_fill(FANFILL_ABI, &job, 1, seed, 1)
        if status != FANFILL_OK:
            raise ValueError(fanfill_message(status).decode())

    def __dealloc__(self):
        PyMem_Free(self.data)

    def __getitem__(self, index):
        row, column = index
        if not (0 <= row < self.shape[0] and 0 <= column < self.shape[1]):
            raise IndexError(index)
        return self.data[<uint64_t>row * self.shape[1] + <uint64_t>column]
