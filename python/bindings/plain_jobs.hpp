// Jobs whose memory is as plain as nearly all is: a C-contiguous, aligned, writable NumPy array, or such a
// torch tensor in host memory, and all of its tensor. It must not decide what else could be filled, nor say
// what is wrong: whatever is not plain, or is refused, it leaves to the package's Python code, untouched.
#pragma once

#include <pybind11/gil_safe_call_once.h>
#include <pybind11/numpy.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "argument.hpp"

// What the package's Python code is asked.
struct PlainQuestions {
  PyObject* job_type;         // the class Job
  PyObject* law_type;         // the class Law
  PyObject* stream_id;        // function: key -> int
  PyObject* elements;         // mapping: NumPy dtype -> (code, bytes), or None
  PyObject* tensor_types;     // mapping: type -> whether its objects are torch tensors and nothing more
  PyObject* tensor_elements;  // mapping: torch dtype -> (code, bytes), or None
  PyObject* note_writes;      // function, told a list of the tensors that were written
  PyObject* thread_count;     // function: int -> int
  PyObject* default_threads;  // function of nothing

  explicit PlainQuestions(PyObject* object) {
    PyObject* const* items = items_of(object, 9, "the questions are a tuple of nine");
    job_type = items[0];
    law_type = items[1];
    stream_id = items[2];
    elements = items[3];
    tensor_types = items[4];
    tensor_elements = items[5];
    note_writes = items[6];
    thread_count = items[7];
    default_threads = items[8];
  }
};

// An attribute's name; interned, it is found by its address.
class Name {
 public:
  explicit Name(const char* text)
      : text_(py::reinterpret_steal<py::object>(PyUnicode_InternFromString(text))) {
    if (!text_) raise_pending();
  }
  PyObject* ptr() const { return text_.ptr(); }

 private:
  py::object text_;
};

// The names that are looked up in each job, law and tensor.
struct PlainNames {
  Name out{"out"}, law{"law"}, key{"key"}, region{"region"}, dtype{"dtype"}, core_tuple{"_core_tuple"};
  Name is_cpu{"is_cpu"}, is_nested{"is_nested"}, is_contiguous{"is_contiguous"}, is_neg{"is_neg"};
  Name is_inference{"is_inference"}, numel{"numel"}, data_ptr{"data_ptr"}, nbytes{"nbytes"};
  Name storage_offset{"storage_offset"}, untyped_storage{"untyped_storage"};

  static const PlainNames& get() {
    PYBIND11_CONSTINIT static py::gil_safe_call_once_and_store<PlainNames> names;
    return names.call_once_and_store_result([] { return PlainNames(); }).get_stored();
  }
};

// What a call of Python's C interface returned, or its exception.
inline py::object checked(PyObject* result) {
  if (result == nullptr) raise_pending();
  return py::reinterpret_steal<py::object>(result);
}

inline py::object attribute(PyObject* object, const Name& name) {
  return checked(PyObject_GetAttr(object, name.ptr()));
}
inline py::object called(PyObject* function) { return checked(PyObject_CallNoArgs(function)); }
inline py::object called(PyObject* function, PyObject* argument) {
  return checked(PyObject_CallOneArg(function, argument));
}
inline py::object method(PyObject* object, const Name& name) {
  return checked(PyObject_CallMethodNoArgs(object, name.ptr()));
}
inline py::object item(PyObject* mapping, PyObject* key) { return checked(PyObject_GetItem(mapping, key)); }
inline bool is_true(const py::object& answer) { return answer.ptr() == Py_True; }

struct PlainPlace {
  void* data = nullptr;
  std::uint64_t elements = 1;
  fanfill::DType dtype = fanfill::DType::kFloat32;
  std::int64_t bytes = 0;  // of one element
};

class PlainJobs {
 public:
  PlainJobs(const PlainQuestions& ask, std::size_t capacity) : ask_(ask) {
    runs_.reserve(capacity);  // the axes point to them, and the jobs to the axes
    axes_.reserve(capacity);
    jobs_.reserve(capacity);
    outs_.reserve(capacity);
  }

  // False if the job is not plain; then the list is of no use any more.
  bool add(py::object out, PyObject* law, PyObject* key) {
    fanfill::Job job;
    PlainPlace place;
    if (!(is_array(out.ptr()) ? read_array(out.ptr(), &place) : read_tensor(out, &place))) return false;
    if (PyTuple_CheckExact(law)) {  // the parameters themselves, from the package's Python code
      last_law_ = py::object();
      last_drawn_ = to_law(law);
    } else if (law != last_law_.ptr()) {  // neighbours mostly share one
      const int is_law = PyObject_IsInstance(law, ask_.law_type);
      if (is_law < 0) raise_pending();
      if (is_law == 0) return false;
      const PlainNames& names = PlainNames::get();
      last_drawn_ = to_law(method(law, names.core_tuple).ptr());
      last_law_ = py::reinterpret_borrow<py::object>(law);
    }
    job.data = place.data;
    job.dtype = place.dtype;
    job.law = last_drawn_;
    job.stream = to_uint64(PyLong_CheckExact(key) ? key : called(ask_.stream_id, key).ptr());
    runs_.push_back({0, place.elements});
    axes_.push_back({place.elements, place.bytes, &runs_.back(), 1});  // all of the tensor, by its flat index
    job.axes = &axes_.back();
    job.rank = 1;
    jobs_.push_back(job);
    bytes_ += place.elements * static_cast<std::uint64_t>(place.bytes);
    outs_.push_back(std::move(out));
    return true;
  }

  // The same for an object of the class Job.
  bool add_job(PyObject* job) {
    if (reinterpret_cast<PyObject*>(Py_TYPE(job)) != ask_.job_type) return false;
    const PlainNames& names = PlainNames::get();
    if (!attribute(job, names.region).is_none() || !attribute(job, names.dtype).is_none()) return false;
    const py::object law = attribute(job, names.law);
    return !PyTuple_CheckExact(law.ptr()) &&
           add(attribute(job, names.out), law.ptr(), attribute(job, names.key).ptr());
  }

  // Whether no two jobs have a place in memory or a stream in common. Whoever must know which, asks
  // elsewhere.
  bool share_nothing() const {
    std::vector<std::pair<std::uintptr_t, std::uintptr_t>> places;
    std::vector<std::uint64_t> streams;
    places.reserve(jobs_.size());
    streams.reserve(jobs_.size());
    for (const fanfill::Job& job : jobs_) {
      if (job.axes->extent == 0) continue;
      const auto begin = reinterpret_cast<std::uintptr_t>(job.data);
      places.emplace_back(begin,
                          begin + job.axes->extent * static_cast<std::uint64_t>(job.axes->byte_stride));
      streams.push_back(job.stream);
    }
    std::sort(places.begin(), places.end());
    std::sort(streams.begin(), streams.end());
    for (std::size_t i = 1; i < places.size(); ++i) {
      if (places[i].first < places[i - 1].second || streams[i] == streams[i - 1]) return false;
    }
    return true;
  }

  void note_writes() const {
    if (tensors_) static_cast<void>(called(ask_.note_writes, tensors_.ptr()));
  }

  const fanfill::Job* data() const { return jobs_.data(); }
  std::size_t size() const { return jobs_.size(); }
  std::uint64_t bytes() const { return bytes_; }

 private:
  static bool is_array(PyObject* out) { return Py_TYPE(out) == py::detail::npy_api::get().PyArray_Type_; }

  bool read_array(PyObject* out, PlainPlace* place) {
    using Api = py::detail::npy_api;
    constexpr int kPlain = Api::NPY_ARRAY_C_CONTIGUOUS_ | Api::NPY_ARRAY_ALIGNED_ | Api::NPY_ARRAY_WRITEABLE_;
    const py::detail::PyArray_Proxy* array = py::detail::array_proxy(out);
    if ((array->flags & kPlain) != kPlain) return false;
    if (array->descr != last_descr_.ptr()) {
      if (!read_element(item(ask_.elements, array->descr))) return false;
      last_descr_ = py::reinterpret_borrow<py::object>(array->descr);
    }
    *place = last_element_;
    place->data = array->data;
    for (int axis = 0; axis < array->nd; ++axis) {
      place->elements *= static_cast<std::uint64_t>(array->dimensions[axis]);
    }
    return true;
  }

  // A dense tensor of its own in host memory, which autograd can tell by its version. What has no storage of
  // its own, as the tensors of a functional transform, raises when asked for it: an answer too.
  bool read_tensor(const py::object& tensor, PlainPlace* place) {
    PyObject* const out = tensor.ptr();
    if (!is_true(item(ask_.tensor_types, reinterpret_cast<PyObject*>(Py_TYPE(out))))) return false;
    const PlainNames& names = PlainNames::get();
    last_descr_ = py::object();
    if (!read_element(item(ask_.tensor_elements, attribute(out, names.dtype).ptr()))) return false;
    if (!is_true(attribute(out, names.is_cpu)) || is_true(attribute(out, names.is_nested)) ||
        !is_true(method(out, names.is_contiguous)) || is_true(method(out, names.is_neg)) ||
        is_true(method(out, names.is_inference))) {
      return false;
    }
    *place = last_element_;
    place->elements = to_uint64(method(out, names.numel).ptr());
    const std::uint64_t offset = to_uint64(method(out, names.storage_offset).ptr());
    const std::uint64_t held =
        to_uint64(method(method(out, names.untyped_storage).ptr(), names.nbytes).ptr());
    if ((offset + place->elements) * static_cast<std::uint64_t>(place->bytes) > held) return false;
    place->data = to_pointer<void>(method(out, names.data_ptr).ptr());
    if (!tensors_) tensors_ = py::list();
    tensors_.append(tensor);
    return true;
  }

  bool read_element(const py::object& found) {
    if (found.is_none()) return false;
    PyObject* const* items = items_of(found.ptr(), 2, "a plain element is a tuple (code, bytes)");
    last_element_.dtype = to_dtype(items[0]);
    last_element_.bytes = to_int64(items[1]);
    return true;
  }

  const PlainQuestions& ask_;
  std::vector<fanfill::Run> runs_;
  std::vector<fanfill::Axis> axes_;
  std::vector<fanfill::Job> jobs_;
  std::vector<py::object> outs_;  // kept alive
  std::uint64_t bytes_ = 0;
  py::list tensors_ = py::reinterpret_steal<py::list>(nullptr);  // null until there is one
  py::object last_law_;  // held, or its address might become another's
  fanfill::Law last_drawn_;
  py::object last_descr_;  // held, as the law
  PlainPlace last_element_;
};
