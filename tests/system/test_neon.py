"""The bits of 64-bit Arm, cross-compiled and run under qemu-user, are those of this machine.

It must not know what the bits are.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

pytestmark = pytest.mark.system


def test_neon_and_scalar_on_arm_give_the_bits_of_this_machine(cpp_build: Callable) -> None:
    here = cpp_build("release").golden_bits()["scalar"]
    there = cpp_build("aarch64").golden_bits()
    assert there == {"neon": here, "scalar": here}
