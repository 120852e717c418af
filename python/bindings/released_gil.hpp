// The calling thread while it leaves the interpreter to others, and when it may ask for their signals.
// It must not know what is done meanwhile.
#pragma once

#include <pybind11/gil_safe_call_once.h>

#include "argument.hpp"

// Python runs signal handlers on its main thread only. Elsewhere there is nothing to ask, and taking the GIL
// from a thread that the interpreter leaves behind at exit would end that thread in the midst of the core.
inline bool is_main_thread() {
  PYBIND11_CONSTINIT static py::gil_safe_call_once_and_store<py::object> main_thread;
  const py::object& find =
      main_thread
          .call_once_and_store_result([] { return py::module_::import("threading").attr("main_thread"); })
          .get_stored();
  return to_uint64(find().attr("ident").ptr()) == PyThread_get_thread_ident();
}

// The calling thread without the GIL, which it takes back to ask for signals.
class ReleasedGil {
 public:
  ReleasedGil() : state_(PyEval_SaveThread()) {}
  // While the interpreter ends, CPython before 3.14 ends a thread that asks for the GIL by unwinding its
  // stack: that must get past this destructor, or the process aborts.
  ~ReleasedGil() noexcept(false) { PyEval_RestoreThread(state_); }
  ReleasedGil(const ReleasedGil&) = delete;
  ReleasedGil& operator=(const ReleasedGil&) = delete;

  static bool has_signal(void* context) {
    auto& released = *static_cast<ReleasedGil*>(context);
    PyEval_RestoreThread(released.state_);
    const bool has_raised = PyErr_CheckSignals() != 0;
    released.state_ = PyEval_SaveThread();
    return has_raised;
  }

 private:
  PyThreadState* state_;
};
