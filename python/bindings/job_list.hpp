// Jobs as the package's Python code prepares them: tuples of integers, floats and tuples, any region.
// It must not know arrays, nor how a fill runs.
#pragma once

#include <vector>

#include "argument.hpp"

// Jobs with the axes and runs that they point to. A model has tens of thousands of jobs, so this reads tuples
// directly: a caster per value would take longer than the fill.
class JobList {
 public:
  explicit JobList(PyObject* sequence)
      : owner_(py::reinterpret_steal<py::object>(PySequence_Tuple(sequence))) {
    // As a tuple of our own the jobs stay alive and in place, whatever another thread does to the sequence.
    if (!owner_) raise_pending();
    const Py_ssize_t count = PyTuple_GET_SIZE(owner_.ptr());
    jobs_.reserve(static_cast<std::size_t>(count));
    for (Py_ssize_t i = 0; i < count; ++i) add_job(PyTuple_GET_ITEM(owner_.ptr(), i));
    // Only now have the vectors stopped moving.
    const fanfill::Run* runs = runs_.data();
    for (fanfill::Axis& axis : axes_) {
      axis.runs = runs;
      runs += axis.run_count;
    }
    const fanfill::Axis* axes = axes_.data();
    for (fanfill::Job& job : jobs_) {
      job.axes = axes;
      axes += job.rank;
    }
  }

  const fanfill::Job* data() const { return jobs_.data(); }
  std::size_t size() const { return jobs_.size(); }

 private:
  void add_job(PyObject* object) {
    PyObject* const* items = items_of(object, 5, "a job is a tuple (address, dtype, law, stream, axes)");
    fanfill::Job job;
    job.data = to_pointer<void>(items[0]);
    job.dtype = to_dtype(items[1]);
    if (items[2] != last_law_object_) {  // neighbours mostly share one
      last_law_ = to_law(items[2]);
      last_law_object_ = items[2];
    }
    job.law = last_law_;
    job.stream = to_uint64(items[3]);
    if (!PyTuple_Check(items[4])) raise(PyExc_TypeError, "the axes of a job are a tuple");
    const Py_ssize_t rank = PyTuple_GET_SIZE(items[4]);
    job.rank = static_cast<std::size_t>(rank);
    for (Py_ssize_t i = 0; i < rank; ++i) add_axis(PyTuple_GET_ITEM(items[4], i));
    jobs_.push_back(job);
  }

  void add_axis(PyObject* object) {
    PyObject* const* items = items_of(object, 3, "an axis is a tuple (extent, byte_stride, runs)");
    fanfill::Axis axis;
    axis.extent = to_uint64(items[0]);
    axis.byte_stride = to_int64(items[1]);
    if (!PyTuple_Check(items[2])) raise(PyExc_TypeError, "the runs of an axis are a tuple");
    const Py_ssize_t count = PyTuple_GET_SIZE(items[2]);
    axis.run_count = static_cast<std::size_t>(count);
    for (Py_ssize_t i = 0; i < count; ++i) {
      PyObject* const* run = items_of(PyTuple_GET_ITEM(items[2], i), 2, "a run is a tuple (start, count)");
      runs_.push_back({to_uint64(run[0]), to_uint64(run[1])});
    }
    axes_.push_back(axis);
  }

  py::object owner_;
  std::vector<fanfill::Job> jobs_;
  std::vector<fanfill::Axis> axes_;
  std::vector<fanfill::Run> runs_;
  PyObject* last_law_object_ = nullptr;
  fanfill::Law last_law_;
};
