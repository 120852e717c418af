"""The core compiles for platforms that this machine does not run: 64-bit Windows, and Linux with musl.

For Windows a program that fills a vector is linked too. Nothing here is run. macOS is not among them: Debian
has no compiler for it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from budget.command import output, tool

pytestmark = pytest.mark.system

ROOT = Path(__file__).parents[2]
WARNINGS = ("-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror")
CORE = sorted((ROOT / "csrc").glob("*.cpp"))
AVX512 = tuple(f"-mavx512{part}" for part in ("f", "bw", "dq", "vl"))
ISA_FLAGS = {"scalar": (), "avx2": ("-mavx2", "-mfma", "-mf16c"), "avx512": ("-mfma", "-mf16c", *AVX512)}
MUSL = "/usr/include/x86_64-linux-musl"
LIBCXX = "/usr/lib/llvm-19/include/c++/v1"
# What C++'s own libraries define, or the linker.
RUNTIME = re.compile(r"_Z|__cxa_|__gxx_personality|_Unwind_|__tls_get_addr$|_GLOBAL_OFFSET_TABLE_$|__emutls")


def compiled(target: str, source: Path, *options: str) -> None:
    """One unit, by the Clang that knows every target."""
    common = (
        "-std=c++17",
        *WARNINGS,
        "-Wno-unknown-warning-option",
        "-ffp-contract=off",
        "-fno-math-errno",
        f"-I{ROOT / 'csrc/include'}",
    )
    output(tool("clang++-19"), f"--target={target}", *common, f"-I{ROOT / 'csrc'}", *options, source)


@pytest.fixture(scope="module")
def windows_library(cpp_build: Callable) -> Path:
    return Path(cpp_build("mingw").folder) / "libfanfill.a"


def test_a_windows_program_that_fills_a_vector_links(windows_library: Path, tmp_path: Path) -> None:
    program = tmp_path / "he_normal.exe"
    command = (tool("x86_64-w64-mingw32-g++-posix"), "-std=c++17", *WARNINGS, f"-I{ROOT / 'csrc/include'}")
    source = ROOT / "examples/cpp_vector/he_normal.cpp"
    output(*command, source, windows_library, "-static", "-o", program)
    headers = output(tool("x86_64-w64-mingw32-objdump"), "-p", program)
    assert "file format pei-x86-64" in headers
    imported = {name.lower() for name in re.findall(r"DLL Name: (\S+)", headers)}
    assert imported <= {"kernel32.dll", "msvcrt.dll"}  # of Windows itself


def test_a_windows_module_exports_the_c_interface_alone(windows_library: Path, tmp_path: Path) -> None:
    module = tmp_path / "module.dll"
    whole = ("-Wl,--whole-archive", windows_library, "-Wl,--no-whole-archive")
    output(tool("x86_64-w64-mingw32-g++-posix"), "-shared", *whole, "-static", "-o", module)
    table = output(tool("x86_64-w64-mingw32-objdump"), "-p", module).partition(
        "[Ordinal/Name Pointer] Table"
    )[2]
    names = set(re.findall(r"^\s+\[ *\d+\].* (\S+)$", table.partition("\n\n")[0], re.MULTILINE))
    assert names == {"fanfill_abi", "fanfill_contract_version", "fanfill_fill", "fanfill_message"}


@pytest.mark.parametrize("isa", ["avx2", "avx512"])
def test_the_vector_kernels_compile_for_windows(isa: str) -> None:
    compiled("x86_64-w64-mingw32", ROOT / f"csrc/isa/{isa}.cpp", *ISA_FLAGS[isa], "-fsyntax-only")


def test_gcc_builds_no_vector_kernels_for_windows(windows_library: Path) -> None:
    members = output(tool("x86_64-w64-mingw32-ar"), "t", windows_library).split()
    assert "scalar.cpp.obj" in members
    assert not {"avx2.cpp.obj", "avx512.cpp.obj"} & set(members)


@pytest.fixture(scope="module")
def musl_objects(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The whole core against musl's headers and LLVM's C++ library, which knows musl."""
    folder = tmp_path_factory.mktemp("musl")
    units = dict.fromkeys(CORE, ()) | {ROOT / f"csrc/isa/{isa}.cpp": ISA_FLAGS[isa] for isa in ISA_FLAGS}
    headers = ("-nostdlibinc", "-isystem", LIBCXX, "-isystem", MUSL, "-D_LIBCPP_HAS_MUSL_LIBC")
    objects = []
    for source, flags in units.items():
        objects.append(folder / f"{source.stem}.o")
        have = ("-DFANFILL_HAVE_SCALAR", "-DFANFILL_HAVE_AVX2", "-DFANFILL_HAVE_AVX512")
        # musl's ioctl takes an int, to which its own request codes do not convert in silence.
        options = (
            "-O0",
            "-fPIC",
            "-Wno-sign-conversion",
            *headers,
            *have,
            *flags,
            "-c",
            "-o",
            str(objects[-1]),
        )
        compiled("x86_64-linux-musl", source, *options)
    return objects


def test_musl_has_every_function_that_the_core_calls(musl_objects: list[Path]) -> None:
    def symbols(letters: str, *files: str | Path) -> set[str]:
        listing = output(tool("nm"), *files)
        return set(re.findall(rf"^(?:[0-9a-f]+)? +[{letters}] (\S+)$", listing, re.MULTILINE))

    defined = symbols("TWDBRVi", "/usr/lib/x86_64-linux-musl/libc.a")
    called = {name for name in symbols("U", *musl_objects) if not RUNTIME.match(name)}
    assert {"madvise", "pthread_create"} <= called
    assert not called - defined


def test_both_extension_modules_declare_that_they_need_no_gil() -> None:
    """What 3.14t asks of a module; there is no such Python here to import them."""
    bindings = ROOT / "python/bindings"
    core, bit_generator = ((bindings / name).read_text() for name in ("_core.cpp", "_bitgen.pyx"))
    assert re.search(r"^PYBIND11_MODULE\(\w+, m, py::mod_gil_not_used\(\)\)", core, re.MULTILINE)
    assert "freethreading_compatible=True" in bit_generator.splitlines()[0]
