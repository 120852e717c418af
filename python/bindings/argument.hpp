// Python objects to the numbers, enumerators and structs that they stand for, or an exception.
// It must not know jobs, arrays or what the values are for.
#pragma once

#include <pybind11/pybind11.h>

#include <cstdint>
#include <limits>

#include "fanfill/fanfill.hpp"

namespace py = pybind11;

// What is wrong with an argument is said by Python's own converters: OverflowError for an integer out of
// range, TypeError for another type. Both are met here only where the package's own checks have a hole.
[[noreturn]] inline void raise_pending() { throw py::error_already_set(); }

[[noreturn]] inline void raise(PyObject* kind, const char* text) {
  PyErr_SetString(kind, text);
  raise_pending();
}

inline std::uint64_t to_uint64(PyObject* object) {
  const unsigned long long value = PyLong_AsUnsignedLongLong(object);
  if (value == std::numeric_limits<unsigned long long>::max() && PyErr_Occurred() != nullptr) raise_pending();
  return value;
}

inline std::int64_t to_int64(PyObject* object) {
  const long long value = PyLong_AsLongLong(object);
  if (value == -1 && PyErr_Occurred() != nullptr) raise_pending();
  return value;
}

inline double to_double(PyObject* object) {
  const double value = PyFloat_AsDouble(object);
  if (value == -1.0 && PyErr_Occurred() != nullptr) raise_pending();
  return value;
}

inline bool to_bool(PyObject* object) {
  if (!PyBool_Check(object)) raise(PyExc_TypeError, "expected a bool");
  return object == Py_True;
}

inline int to_int(PyObject* object) {
  const std::int64_t value = to_int64(object);
  if (value < std::numeric_limits<int>::min() || value > std::numeric_limits<int>::max()) {
    raise(PyExc_OverflowError, "the integer does not fit an int");
  }
  return static_cast<int>(value);
}

// An enumerator by its number: one of 0 .. count - 1.
template <class Enum>
Enum to_enum(PyObject* object, std::uint64_t count, const char* message) {
  const std::uint64_t value = to_uint64(object);
  if (value >= count) raise(PyExc_ValueError, message);
  return static_cast<Enum>(value);
}

inline fanfill::DType to_dtype(PyObject* object) {
  return to_enum<fanfill::DType>(object, fanfill::kDTypeCount, "not a dtype code");
}

template <class T>
T* to_pointer(PyObject* object) {
  static_assert(sizeof(void*) == sizeof(std::uint64_t), "addresses are 64-bit");
  return reinterpret_cast<T*>(to_uint64(object));
}

// A tuple of exactly `size` items; its items are borrowed.
inline PyObject* const* items_of(PyObject* object, Py_ssize_t size, const char* message) {
  if (!PyTuple_Check(object) || PyTuple_GET_SIZE(object) != size) raise(PyExc_TypeError, message);
  return reinterpret_cast<PyTupleObject*>(object)->ob_item;
}

inline fanfill::Law to_law(PyObject* object) {
  constexpr Py_ssize_t kAlways = 7, kMost = 11;
  const Py_ssize_t size = PyTuple_Check(object) ? PyTuple_GET_SIZE(object) : 0;
  if (size != kAlways && size != kMost)
    raise(
        PyExc_TypeError,
        "a law is a tuple (kind, mean, std, low, high, unit, correct_variance), and for a log-uniform or an "
        "arange also (map, floor, step, period)");
  PyObject* const* items = reinterpret_cast<PyTupleObject*>(object)->ob_item;
  fanfill::Law law;
  law.kind = to_enum<fanfill::LawKind>(items[0], fanfill::kLawKindCount, "not a law kind");
  law.mean = to_double(items[1]);
  law.std = to_double(items[2]);
  law.low = to_double(items[3]);
  law.high = to_double(items[4]);
  law.unit = to_enum<fanfill::BoundUnit>(items[5], 2, "not a bound unit");
  law.correct_variance = to_bool(items[6]);
  if (size == kMost) {
    law.map = to_enum<fanfill::ValueMap>(items[7], fanfill::kValueMapCount, "not a map of values");
    law.floor = to_double(items[8]);
    law.step = to_double(items[9]);
    law.period = to_uint64(items[10]);
  }
  return law;
}
