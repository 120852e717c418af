// The Python extension fanfill._core: turns tuples of integers, floats and strings, and jobs whose memory is
// plain, into the core's structs and back. It must not know layouts, names or fans, and does no arithmetic.
#include <cstdint>

#include "argument.hpp"
#include "fanfill/fanfill.h"
#include "fanfill/fanfill.hpp"
#include "job_list.hpp"
#include "plain_jobs.hpp"
#include "released_gil.hpp"

namespace {

// Chooses the instruction set, unless that has been done, while no other Python thread can change the
// environment that may name one: reading it meanwhile would be a race.
fanfill::Status choose_isa_once() {
  fanfill::Status status = fanfill::Status::kOk;
  fanfill::chosen_isa(&status);
  return status;
}

// Fills while other Python threads run, and asks for signals where that is possible.
fanfill::Status fill_released(const fanfill::Job* jobs, std::size_t count, fanfill::Options options) {
  const fanfill::Status isa_status = choose_isa_once();
  if (isa_status != fanfill::Status::kOk) return isa_status;
  if (is_main_thread()) options.interrupted = &ReleasedGil::has_signal;
  ReleasedGil released;
  options.context = &released;
  return fanfill::fill_many(jobs, count, options);  // the workers have been joined when it returns
}

int fill_many(const py::object& jobs, const py::object& seed, const py::object& threads) {
  const JobList list(jobs.ptr());
  fanfill::Options options;
  options.seed = to_uint64(seed.ptr());
  options.threads = to_int(threads.ptr());
  const fanfill::Status status = fill_released(list.data(), list.size(), options);
  if (PyErr_Occurred() != nullptr) raise_pending();
  return static_cast<int>(status);
}

// Below this many bytes a fill is over before another thread would notice that the interpreter is held.
constexpr std::uint64_t kSmallBytes = 1 << 14;

// False where the core refuses; then nothing was written.
bool fill_plain_jobs(const PlainJobs& plain, const fanfill::Options& options) {
  const bool is_small = plain.size() == 1 && plain.bytes() < kSmallBytes;
  const fanfill::Status status = is_small ? fanfill::fill_many(plain.data(), plain.size(), options)
                                          : fill_released(plain.data(), plain.size(), options);
  if (status != fanfill::Status::kOk && status != fanfill::Status::kInterrupted) return false;
  {
    const py::error_scope signal;  // what an interrupt has raised
    plain.note_writes();
  }
  if (PyErr_Occurred() != nullptr) raise_pending();
  return true;
}

// Reads the arguments of a plain fill by `read`. False where they are not plain, or anything at all is wrong
// with them: the package's Python code finds out what and says it.
template <class Read>
bool is_plain(const PlainQuestions& ask, const py::object& seed, const py::object& threads,
              fanfill::Options* options, Read&& read) {
  if (!PyLong_CheckExact(seed.ptr())) return false;
  try {
    if (!read()) return false;
    options->seed = to_uint64(seed.ptr());
    const py::object count =
        threads.is_none() ? called(ask.default_threads) : called(ask.thread_count, threads.ptr());
    options->threads = to_int(count.ptr());
    return true;
  } catch (py::error_already_set& error) {
    if (!error.matches(PyExc_Exception)) throw;  // Ctrl-C
    return false;
  }
}

bool fill_plain(const py::object& questions, const py::object& out, const py::object& law,
                const py::object& key, const py::object& seed, const py::object& threads) {
  const PlainQuestions ask(questions.ptr());
  PlainJobs plain(ask, 1);
  fanfill::Options options;
  const auto read = [&] { return plain.add(out, law.ptr(), key.ptr()); };
  return is_plain(ask, seed, threads, &options, read) && fill_plain_jobs(plain, options);
}

bool fill_plain_many(const py::object& questions, const py::object& jobs, const py::object& seed,
                     const py::object& threads) {
  const PlainQuestions ask(questions.ptr());
  if (!PyList_Check(jobs.ptr()) && !PyTuple_Check(jobs.ptr())) return false;
  // As a tuple of our own the jobs stay alive and in place, whatever another thread does to the list.
  const auto own = py::reinterpret_steal<py::object>(PySequence_Tuple(jobs.ptr()));
  if (!own) raise_pending();
  const Py_ssize_t count = PyTuple_GET_SIZE(own.ptr());
  PlainJobs plain(ask, static_cast<std::size_t>(count));
  fanfill::Options options;
  const auto read = [&] {
    for (Py_ssize_t i = 0; i < count; ++i) {
      if (!plain.add_job(PyTuple_GET_ITEM(own.ptr(), i))) return false;
    }
    return plain.share_nothing();
  };
  return is_plain(ask, seed, threads, &options, read) && fill_plain_jobs(plain, options);
}

std::size_t to_count(const py::object& object) { return to_uint64(object.ptr()); }

int make_pages(const py::object& address, const py::object& size, const py::object& threads) {
  auto* memory = to_pointer<void>(address.ptr());
  const std::size_t bytes = to_count(size);
  fanfill::Options options;
  options.threads = to_int(threads.ptr());
  if (is_main_thread()) options.interrupted = &ReleasedGil::has_signal;
  fanfill::Status status = fanfill::Status::kOk;
  {
    ReleasedGil released;
    options.context = &released;
    status = fanfill::make_pages(memory, bytes, options);
  }
  if (PyErr_Occurred() != nullptr) raise_pending();
  return static_cast<int>(status);
}

// The name of an instruction set, or null for None. The text belongs to `object`.
const char* to_isa(const py::object& object) {
  if (object.is_none()) {
    choose_isa_once();
    return nullptr;
  }
  Py_ssize_t size = 0;
  const char* name = PyUnicode_AsUTF8AndSize(object.ptr(), &size);
  if (name == nullptr) raise_pending();
  if (std::char_traits<char>::length(name) != static_cast<std::size_t>(size)) {
    raise(PyExc_ValueError, "a name holds no null character");
  }
  return name;
}

int transform(const py::object& isa, const py::object& law, const py::object& dtype, const py::object& words,
              const py::object& tails, const py::object& count, const py::object& out) {
  const char* name = to_isa(isa);
  const fanfill::Law drawn = to_law(law.ptr());
  const fanfill::DType type = to_dtype(dtype.ptr());
  const auto* first = to_pointer<const void>(words.ptr());
  const auto* second = to_pointer<const void>(tails.ptr());
  const std::size_t size = to_count(count);
  auto* values = to_pointer<void>(out.ptr());
  const ReleasedGil released;
  return static_cast<int>(fanfill::transform(name, drawn, type, first, second, size, values));
}

int raw_words(const py::object& isa, const py::object& seed, const py::object& stream,
              const py::object& start, const py::object& count, const py::object& out) {
  const char* name = to_isa(isa);
  const std::uint64_t key = to_uint64(seed.ptr());
  const std::uint64_t of = to_uint64(stream.ptr());
  const std::uint64_t from = to_uint64(start.ptr());
  const std::size_t size = to_count(count);
  auto* words = to_pointer<std::uint32_t>(out.ptr());
  const ReleasedGil released;
  return static_cast<int>(fanfill::raw_words(name, key, of, from, size, words));
}

// `count` words from each of `pieces` places, one after the other; the places are arrays of uint64.
int raw_pieces(const py::object& isa, const py::object& seeds, const py::object& streams,
               const py::object& starts, const py::object& pieces, const py::object& count,
               const py::object& out) {
  const char* name = to_isa(isa);
  const auto* keys = to_pointer<const std::uint64_t>(seeds.ptr());
  const auto* of = to_pointer<const std::uint64_t>(streams.ptr());
  const auto* from = to_pointer<const std::uint64_t>(starts.ptr());
  const std::size_t places = to_count(pieces);
  const std::size_t size = to_count(count);
  auto* words = to_pointer<std::uint32_t>(out.ptr());
  const ReleasedGil released;
  fanfill::Status status = fanfill::Status::kOk;
  for (std::size_t i = 0; i < places && status == fanfill::Status::kOk; ++i) {
    status = fanfill::raw_words(name, keys[i], of[i], from[i], size, words + i * size);
  }
  return static_cast<int>(status);
}

int round_to(const py::object& isa, const py::object& dtype, const py::object& values,
             const py::object& count, const py::object& out) {
  const char* name = to_isa(isa);
  const fanfill::DType type = to_dtype(dtype.ptr());
  const auto* from = to_pointer<const float>(values.ptr());
  const std::size_t size = to_count(count);
  auto* rounded = to_pointer<void>(out.ptr());
  const ReleasedGil released;
  return static_cast<int>(fanfill::round_to(name, type, from, size, rounded));
}

int check_law(const py::object& law, const py::object& dtype) {
  return static_cast<int>(fanfill::check_law(to_law(law.ptr()), to_dtype(dtype.ptr())));
}

py::tuple law_facts(const py::object& law) {
  fanfill::LawFacts facts;
  const fanfill::Status status = fanfill::law_facts(to_law(law.ptr()), &facts);
  return py::make_tuple(static_cast<int>(status), facts.mean, facts.std, facts.low, facts.high);
}

struct NamedStatus {
  const char* name;
  fanfill::Status status;
};

constexpr NamedStatus kStatuses[] = {
    {"OK", fanfill::Status::kOk},
    {"INTERRUPTED", fanfill::Status::kInterrupted},
    {"NULL_DATA", fanfill::Status::kNullData},
    {"MISALIGNED", fanfill::Status::kMisaligned},
    {"BAD_REGION", fanfill::Status::kBadRegion},
    {"TOO_LARGE", fanfill::Status::kTooLarge},
    {"NOT_FINITE", fanfill::Status::kNotFinite},
    {"BAD_STD", fanfill::Status::kBadStd},
    {"BAD_MEAN", fanfill::Status::kBadMean},
    {"EMPTY_INTERVAL", fanfill::Status::kEmptyInterval},
    {"BOUNDS_TOO_FAR", fanfill::Status::kBoundsTooFar},
    {"NOT_SYMMETRIC", fanfill::Status::kNotSymmetric},
    {"UNKNOWN_ISA", fanfill::Status::kUnknownIsa},
    {"UNSUPPORTED_ISA", fanfill::Status::kUnsupportedIsa},
    {"BAD_ARGUMENT", fanfill::Status::kBadArgument},
    {"TOO_NARROW", fanfill::Status::kTooNarrow},
    {"NOT_POSITIVE", fanfill::Status::kNotPositive},
};
constexpr std::uint64_t kStatusCount = sizeof(kStatuses) / sizeof(kStatuses[0]);
static_assert(static_cast<std::uint64_t>(kStatuses[kStatusCount - 1].status) == kStatusCount - 1,
              "none left out");

const char* message(const py::object& status) {
  return fanfill::message(to_enum<fanfill::Status>(status.ptr(), kStatusCount, "not a status"));
}

py::list isas() {
  py::list found;
  for (std::size_t i = 0; i < fanfill::isa_count(); ++i) {
    found.append(py::make_tuple(fanfill::isa_name(i), fanfill::isa_supported(i)));
  }
  return found;
}

py::tuple chosen_isa() {
  fanfill::Status status = fanfill::Status::kOk;
  const char* name = fanfill::chosen_isa(&status);
  return py::make_tuple(static_cast<int>(status), name);  // a null name becomes None
}

int choose_isa(const py::object& name) { return static_cast<int>(fanfill::choose_isa(to_isa(name))); }

// Words for another extension module of this package, which so needs no second copy of the core. Called
// without the interpreter's lock; returns a status.
extern "C" int words_for_modules(std::uint64_t seed, std::uint64_t stream, int domain, std::uint64_t start,
                                 std::size_t count, std::uint32_t* out) noexcept {
  return static_cast<int>(
      fanfill::raw_words(nullptr, seed, stream, start, count, out, static_cast<fanfill::Domain>(domain)));
}

bool is_main_interpreter() { return PyInterpreterState_Get() == PyInterpreterState_Main(); }

constexpr char kSubInterpreter[] =
    "fanfill can't be imported in a sub-interpreter, as NumPy can't be in general; "
    "import it in the main interpreter, or use a process or a thread instead";

}  // namespace

PYBIND11_MODULE(_core_of_main, m, py::mod_gil_not_used()) {
  if (!is_main_interpreter()) throw py::import_error(kSubInterpreter);  // 3.13 runs PyInit in the main one
  m.doc() = "The C++ core: integers, floats and strings in, status codes out. Not a public interface.";
  m.attr("CONTRACT_VERSION") = fanfill::kContractVersion;
  m.attr("ABI") = fanfill_abi();  // also has the linker keep the C interface, which this module exports
  for (const NamedStatus& named : kStatuses) m.attr(named.name) = static_cast<int>(named.status);

  using py::arg;
  m.def("fill_many", fill_many, arg("jobs"), arg("seed"), arg("threads"));
  m.def("fill_plain", fill_plain, arg("questions"), arg("out"), arg("law"), arg("key"), arg("seed"),
        arg("threads"));
  m.def("fill_plain_many", fill_plain_many, arg("questions"), arg("jobs"), arg("seed"), arg("threads"));
  m.def("make_pages", make_pages, arg("address"), arg("size"), arg("threads"));
  m.def("transform", transform, arg("isa"), arg("law"), arg("dtype"), arg("words"), arg("tails"),
        arg("count"), arg("out"));
  m.def("raw_words", raw_words, arg("isa"), arg("seed"), arg("stream"), arg("start"), arg("count"),
        arg("out"));
  m.def("raw_pieces", raw_pieces, arg("isa"), arg("seeds"), arg("streams"), arg("starts"), arg("pieces"),
        arg("count"), arg("out"));
  m.def("round_to", round_to, arg("isa"), arg("dtype"), arg("values"), arg("count"), arg("out"));
  m.def("check_law", check_law, arg("law"), arg("dtype"));
  m.def("law_facts", law_facts, arg("law"));
  m.def("message", message, arg("status"));
  m.def("isas", isas);
  m.def("chosen_isa", chosen_isa);
  m.def("choose_isa", choose_isa, arg("name"));
  m.attr("_words") = py::capsule(reinterpret_cast<void*>(&words_for_modules), "fanfill._core._words");
}

// pybind11 takes the main interpreter's lock before it looks at anything: in another interpreter that shares
// the lock it would wait for itself for ever.
extern "C" PYBIND11_EXPORT PyObject* PyInit__core() {
  if (is_main_interpreter()) return PyInit__core_of_main();
  PyErr_SetString(PyExc_ImportError, kSubInterpreter);
  return nullptr;
}
