"""What the compiled core offers Python: integers and strings in, a status out."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

# Kind, mean, std, low, high, unit, correct_variance; of log-uniform and arange also map, floor, step, period.
_Law = (
    tuple[int, float, float, float, float, int, bool]
    | tuple[int, float, float, float, float, int, bool, int, float, float, int]
)
_Axis = tuple[int, int, tuple[tuple[int, int], ...]]
_Job = tuple[int, int, _Law, int, tuple[_Axis, ...]]

# What a plain fill asks: the classes Job and Law; key to stream; NumPy dtype to (code, bytes); type to
# whether its objects are plain tensors; torch dtype to (code, bytes); note of the tensors written; number of
# threads, and of threads where none is given.
_Questions = tuple[
    type,
    type,
    Callable[..., int],
    Mapping[Any, tuple[int, int] | None],
    Mapping[type, bool],
    Mapping[Any, tuple[int, int] | None],
    Callable[..., None],
    Callable[..., int],
    Callable[[], int],
]

ABI: int
CONTRACT_VERSION: int

OK: int
INTERRUPTED: int
NULL_DATA: int
MISALIGNED: int
BAD_REGION: int
TOO_LARGE: int
NOT_FINITE: int
BAD_STD: int
BAD_MEAN: int
EMPTY_INTERVAL: int
BOUNDS_TOO_FAR: int
NOT_SYMMETRIC: int
UNKNOWN_ISA: int
UNSUPPORTED_ISA: int
BAD_ARGUMENT: int
TOO_NARROW: int
NOT_POSITIVE: int

def fill_many(jobs: Sequence[_Job], seed: int, threads: int) -> int: ...
def make_pages(address: int, size: int, threads: int) -> int: ...
def fill_plain(
    questions: _Questions, out: object, law: object, key: object, seed: object, threads: object
) -> bool: ...
def fill_plain_many(questions: _Questions, jobs: object, seed: object, threads: object) -> bool: ...
def transform(
    isa: str | None, law: _Law, dtype: int, words: int, tails: int, count: int, out: int
) -> int: ...
def raw_words(isa: str | None, seed: int, stream: int, start: int, count: int, out: int) -> int: ...
def raw_pieces(
    isa: str | None, seeds: int, streams: int, starts: int, pieces: int, count: int, out: int
) -> int: ...
def round_to(isa: str | None, dtype: int, values: int, count: int, out: int) -> int: ...
def check_law(law: _Law, dtype: int) -> int: ...
def law_facts(law: _Law) -> tuple[int, float, float, float, float]: ...
def message(status: int) -> str: ...
def isas() -> list[tuple[str, bool]]: ...
def chosen_isa() -> tuple[int, str | None]: ...
def choose_isa(name: str | None) -> int: ...
