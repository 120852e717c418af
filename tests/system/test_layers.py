"""The rooms of the source tree: who may include whom, how a file opens, and how long anything may be.

It must not know what the code does, and needs no tool but Python.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 60

# Room: the rooms it may include from, itself always among them. The order is that of the layers.
ROOMS: dict[str, set[str]] = {
    "include": set(),
    "philox": set(),
    "scalar": set(),
    "lanes": {"philox", "scalar"},
    "kernel": {"include", "philox", "scalar", "lanes"},
    "isa": {"lanes", "kernel"},
    "status": {"include"},
    "parallel": set(),
    "pages": set(),
    "double_double": set(),
    "normal_tail": {"double_double"},
    "region": {"include"},
    "dispatch": {"include", "kernel"},
    "dtype_value": {"include", "kernel", "scalar"},
    "law": {"include", "kernel", "dtype_value", "double_double", "normal_tail"},
    "plan_cache": {"include", "law"},
    "job_line": {"include", "kernel", "parallel", "plan_cache", "region"},
    "mapping": set(),
    "page_policy": {"kernel", "job_line", "mapping", "pages", "region"},
    "filler": {"kernel", "job_line", "page_policy", "parallel", "plan_cache", "region"},
    "fill": {
        *("include", "kernel", "dispatch", "filler", "job_line", "law", "page_policy", "parallel"),
        *("plan_cache", "region"),
    },
    "new_memory": {"include", "mapping", "pages", "parallel"},
    "c_interface": {"include"},
    "bindings": {"include"},
    # Coefficients and policies of stores and pages are measured where they are, below the public interface.
    "bench": {"include", "scalar", "kernel", "dispatch", "law"},
}
# A C++ test looks into any one room.
ROOMS["tests"] = set(ROOMS) - {"isa", "bindings", "bench"}

# Headers of csrc/kernel that both the lanes and the kernels stand on: constants, and functions of one number.
SCALAR = {"quantile_table", "quantile_table64", "quantile_window", "rounding"}

# Package of python/fanfill: the packages it may import, also late; "modules" are those in no package.
PACKAGES: dict[str, set[str]] = {
    "memory": {"modules"},
    "models": {"modules"},
    "recipes": {"modules"},
    "signal": {"modules"},
    "hf": {"modules", "plan", "models", "recipes"},
    # A checkpoint names the model, recipe or configuration that it is of.
    "checkpoint": {"modules", "plan", "hf", "models", "recipes"},
    # A plan is written as a checkpoint.
    "plan": {"modules", "checkpoint", "memory"},
    # A recipe makes a plan of a model.
    "modules": {"memory", "plan"},
    "torch": {"modules", "plan", "checkpoint", "memory", "recipes", "signal"},
    "jax": {"modules", "plan", "memory"},
    "keras": {"modules", "plan", "jax", "memory"},
    "benchmark": {"modules", "models"},
    "commands": {
        *("modules", "benchmark", "checkpoint", "hf", "memory", "models", "plan", "recipes", "torch"),
    },
}


def room_of(path: Path) -> str:
    parts = path.relative_to(ROOT).parts
    if parts[0] != "csrc":
        return {"python": "bindings", "tests": "tests", "bench": "bench"}[parts[0]]
    if parts[1] == "kernel" and path.stem in SCALAR:
        return "scalar"
    return parts[1] if len(parts) > 2 else path.stem


def sources(*patterns: str) -> list[Path]:
    return sorted(path for pattern in patterns for path in ROOT.glob(pattern))


CPP = sources("csrc/**/*.[hc]pp", "python/bindings/*.[hc]pp", "tests/**/*.[hc]pp", "bench/**/*.[hc]pp")
PYTHON = sources("python/fanfill/**/*.py", "tests/**/*.py", "bench/**/*.py", "noxfile.py", "examples/*.py")
EVERY = [*CPP, *PYTHON]


def names(paths: list[Path]) -> list[str]:
    return [str(path.relative_to(ROOT)) for path in paths]


def included(path: Path) -> list[Path]:
    """The project's files that a C++ file includes; an unresolvable name is an error."""
    found = []
    for name in re.findall(r'^\s*#\s*include\s+"([^"]+)"', path.read_text(encoding="utf-8"), re.MULTILINE):
        places = [path.parent / name, ROOT / "csrc" / name, ROOT / "csrc/include" / name]
        found.append(next(place.resolve() for place in places if place.exists()))
    return found


def test_the_lists_found_the_sources() -> None:
    assert {"csrc/fill.cpp", "csrc/philox.hpp", "python/bindings/_core.cpp"} <= set(names(CPP))
    assert "python/fanfill/__init__.py" in names(PYTHON)


@pytest.mark.parametrize("name", names(CPP))
def test_includes_only_the_rooms_below(name: str) -> None:
    path = ROOT / name
    room = room_of(path)
    above = {other for other in included(path) if room_of(other) not in ROOMS[room] | {room}}
    assert not above


def package_of(parts: list[str]) -> str:
    """The package of a module of python/fanfill, by the parts of its name."""
    return parts[0] if parts and (ROOT / "python/fanfill" / parts[0]).is_dir() else "modules"


def imported(path: Path) -> set[str]:
    """The packages from which a module of python/fanfill imports something by a relative import."""
    inside = list(path.relative_to(ROOT / "python/fanfill").parts[:-1])
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            stem = inside[: len(inside) - node.level + 1] + (node.module or "").split(".") * bool(node.module)
            found |= {package_of(stem or [alias.name]) for alias in node.names}
    return found


# What names the public interface and what starts the commands see all of it.
ENTRANCES = {"python/fanfill/__init__.py", "python/fanfill/__main__.py", "python/fanfill/cli.py"}


@pytest.mark.parametrize("name", sorted({*names(sources("python/fanfill/**/*.py"))} - ENTRANCES))
def test_imports_only_the_packages_below(name: str) -> None:
    path = ROOT / name
    package = package_of(list(path.relative_to(ROOT / "python/fanfill").parts[:-1]))
    assert not imported(path) - PACKAGES[package] - {package}


@pytest.mark.parametrize("name", names(sources("csrc/kernel/*.hpp")))
def test_kernels_are_written_over_no_particular_lanes(name: str) -> None:
    assert not {"avx2.hpp", "avx512.hpp", "neon.hpp"} & {path.name for path in included(ROOT / name)}


@pytest.mark.parametrize("name", names(sources("csrc/isa/*.cpp")))
def test_an_isa_unit_is_its_lanes_and_one_table(name: str) -> None:
    path = ROOT / name
    assert [other.stem for other in included(path) if room_of(other) == "lanes"] == [path.stem]
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 20


@pytest.mark.parametrize("name", names(sources("csrc/lanes/*.hpp", "csrc/kernel/*.hpp", "csrc/isa/*.cpp")))
def test_isa_code_uses_no_container_of_the_standard_library(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    containers = {"array", "functional", "iostream", "map", "memory", "string", "unordered_map", "vector"}
    assert not containers & set(re.findall(r"#\s*include\s+<(\w+)>", text))


def opening(path: Path) -> str:
    """The comment or docstring that a file begins with."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        return ast.get_docstring(ast.parse(text)) or ""
    lines = []
    for line in text.splitlines():
        if not line.startswith("//"):
            break
        lines.append(line.removeprefix("//").strip())
    return " ".join(lines)


@pytest.mark.parametrize("name", names(EVERY))
def test_opens_with_what_it_is_about(name: str) -> None:
    assert opening(ROOT / name)


@pytest.mark.parametrize("name", [name for name in names(EVERY) if not name.startswith("tests/")])
def test_opens_with_what_it_knows_and_must_not_know(name: str) -> None:
    text = opening(ROOT / name)
    assert len(re.findall(r"[.;](?:\s|$)", text)) >= 2
    assert "must not" in text


@pytest.mark.parametrize("name", names(EVERY))
def test_no_file_is_too_long(name: str) -> None:
    assert len((ROOT / name).read_text(encoding="utf-8").splitlines()) <= MAX_FILE_LINES


def cpp_functions(text: str) -> list[tuple[int, int]]:
    """First and last line of every braced block of a function, told from other blocks by its parentheses."""
    bare = re.sub(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])+\'', _blank, text, flags=re.DOTALL)
    found = []
    opened: list[tuple[int, bool]] = []
    head = 0
    for match in re.finditer(r"[{};]", bare):
        if match.group() == "{":
            before = bare[head : match.start()]
            is_container = re.search(r"\b(?:namespace|class|struct|union|enum|extern)\b[^()]*$|=\s*$", before)
            in_function = any(function for _, function in opened)
            opened.append((match.start(), not in_function and not is_container and ")" in before))
        elif match.group() == "}" and opened:
            start, function = opened.pop()
            if function:
                found.append((bare.count("\n", 0, start) + 1, bare.count("\n", 0, match.start()) + 1))
        head = match.end()
    return found


def _blank(match: re.Match[str]) -> str:
    return re.sub(r"[^\n]", " ", match.group())


def python_functions(text: str) -> list[tuple[int, int]]:
    """First and last line of every function's body, its docstring left out: that is documentation."""
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node) and len(node.body) > 1 else node.body
            found.append((body[0].lineno, node.end_lineno or body[0].lineno))
    return found


@pytest.mark.parametrize("name", names(EVERY))
def test_no_function_is_too_long(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    functions = python_functions(text) if name.endswith(".py") else cpp_functions(text)
    assert not [(first, last) for first, last in functions if last - first + 1 > MAX_FUNCTION_LINES]


def test_the_measure_of_functions_sees_long_ones() -> None:
    body = "  a = {1};\n  if (x) { y(); }\n" * 40
    for head in ("int f(int x) ", "template <class T>\nvoid C<T>::g() const noexcept "):
        rest = "int h() { return 1; }\nalignas(64) int t[] = {\n" + "1,\n" * 70 + "};\n"
        text = f"namespace n {{\nstruct S {{\n  int a = 1;\n}};\n{head}{{\n{body}}}\n{rest}}}\n"
        lengths = [last - first + 1 for first, last in cpp_functions(text)]
        assert lengths == [82, 1]
    assert python_functions("def f():\n    'doc'\n" + "    x()\n" * 70) == [(3, 72)]
