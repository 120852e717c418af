"""What `import fanfill` costs, brings along and refuses.

It must not know what the package does once it is imported.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys

FOREIGN = [
    "torch",
    "jax",
    "keras",
    "tensorflow",
    "transformers",
    "safetensors",
    "matplotlib",
    "ml_dtypes",
    "tqdm",
]


def cpu_seconds(code: str) -> float:
    """The processor's time, which other work on the machine hardly changes."""
    child = os.posix_spawn(sys.executable, [sys.executable, "-c", code], os.environ)
    _, status, usage = os.wait4(child, 0)
    assert status == 0
    return usage.ru_utime + usage.ru_stime


def test_it_takes_little_more_time_than_numpy() -> None:
    modules = ("fanfill", "numpy")
    rounds = [[cpu_seconds(f"import {module}") for module in modules] for _ in range(12)]
    # Of neighbours in time, which other work on the machine slows alike by way of caches and clocks.
    assert statistics.median(ours / theirs for ours, theirs in rounds) <= 1.3, rounds


def test_it_imports_no_framework() -> None:
    code = f"import fanfill, sys; print([name for name in {FOREIGN} if name in sys.modules])"
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "[]\n"


SUB_INTERPRETER = """
import sys, warnings
if sys.version_info >= (3, 13):
    import _interpreters as interpreters
    run = lambda code: interpreters.exec(interpreters.create("legacy"), code)
else:
    import _xxsubinterpreters as interpreters
    run = lambda code: interpreters.run_string(interpreters.create(isolated=False), code)
failure = run('''
import warnings
warnings.simplefilter("ignore")  # NumPy's own
try:
    import fanfill
except ImportError as error:
    print(error, flush=True)  # a sub-interpreter that is left behind may not do it
''')
assert failure is None, failure
"""


def test_a_sub_interpreter_is_refused() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SUB_INTERPRETER], capture_output=True, text=True, timeout=60, check=True
    )
    assert "fanfill can't be imported in a sub-interpreter" in done.stdout
    assert "use a process or a thread instead" in done.stdout
