"""Knows what `Plan.fill_` promises of a caller's tensors; it must not know a plan's text or files."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import fanfill as ff
from small_plan import empty, small


@pytest.mark.parametrize("shared", [True, False])
def test_a_tied_name_gets_the_same_values(shared: bool) -> None:
    plan = small()
    arrays = empty(plan)
    arrays["head.weight"] = arrays["wte.weight"] if shared else arrays["wte.weight"].copy()
    plan.fill_(arrays)
    np.testing.assert_array_equal(arrays["head.weight"], plan.array("wte.weight"))
    np.testing.assert_array_equal(arrays["wte.weight"], plan.array("wte.weight"))


def test_only_fills_nothing_else() -> None:
    plan = small()
    arrays = empty(plan)
    arrays["buffer"] = np.full(3, np.nan)
    plan.fill_(arrays, only=["fc.weight"])
    np.testing.assert_array_equal(arrays.pop("fc.weight"), plan.array("fc.weight"))
    assert all(np.isnan(array).all() for array in arrays.values())
    plan.fill_(arrays, only="fc.bias")
    assert not arrays["fc.bias"].any()


@pytest.mark.parametrize(
    ("change", "only", "error", "message"),
    [
        (lambda m: m.pop("fc.bias"), None, KeyError, "fc.bias"),
        (lambda m: m.update(buffer=np.zeros(3)), None, KeyError, "buffer"),
        (lambda m: None, ["nothing"], KeyError, "nothing"),
        (lambda m: m.update({"fc.bias": np.full((1, 8), np.nan, "f4")}), None, ValueError, "shape"),
        (lambda m: m.update({"fc.bias": np.full(8, np.nan)}), None, ValueError, "float64"),
        (
            lambda m: m.update({"fc.bias": np.broadcast_to(np.float32(np.nan), 8)}),
            None,
            ValueError,
            "fc.bias",
        ),
    ],
)
def test_a_mapping_that_does_not_fit_is_refused_untouched(
    change: Any, only: Any, error: Any, message: str
) -> None:
    plan = small()
    arrays = empty(plan)
    change(arrays)
    with pytest.raises(error, match=message):
        plan.fill_(arrays, only=only)
    assert all(np.isnan(arrays[name]).all() for name in ("wte.weight", "fc.weight"))


def test_memory_without_an_element_type_is_filled_as_the_plans() -> None:
    specs = [ff.ParamSpec("w", (4, 2), ff.Normal(), dtype="bfloat16"), ff.ParamSpec("b", (4,), ff.Normal())]
    made = ff.Plan(specs, seed=7)
    bits, raw = np.zeros((4, 2), np.uint16), bytearray(16)
    made.fill_({"w": bits, "b": raw})
    wanted = ff.normal_(np.zeros((4, 2), np.uint16), seed=7, key="w", dtype="bfloat16")
    np.testing.assert_array_equal(bits, wanted)
    np.testing.assert_array_equal(np.frombuffer(raw, np.float32), made.array("b"))
    wrong = np.zeros((4, 2), np.int16)
    with pytest.raises(TypeError, match=r"^mapping\['w'\] has elements of int16; fanfill writes"):
        made.fill_({"w": wrong, "b": raw})
    with pytest.raises(TypeError, match=r"^mapping\['w'\] has elements of uint32; fanfill writes"):
        made.fill_({"w": np.zeros((4, 2), np.uint32), "b": raw})


def test_tensors_that_share_memory_are_named_as_the_mapping_names_them() -> None:
    specs = [ff.ParamSpec(name, (4,), ff.Normal()) for name in ("v", "w")]
    shared = np.zeros(6, np.float32)
    with pytest.raises(ValueError, match=r"^mapping\['v'\] and mapping\['w'\] overlap in memory; fill each"):
        ff.Plan(specs, seed=7).fill_({"v": shared[:4], "w": shared[2:]})
    assert not shared.any()


def test_what_is_no_region_mapping_or_list_of_names_is_refused() -> None:
    plan = small()
    with pytest.raises(TypeError, match=r"^region must be a Region, not tuple$"):
        plan.array("fc.weight", (0, 4))  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"^mapping must be a mapping of names to tensors, got list$"):
        plan.fill_([np.zeros(8)])  # type: ignore[type-var]
    with pytest.raises(TypeError, match=r"^only must be an iterable of names, got 5$"):
        plan.fill_(empty(plan), only=5)  # type: ignore[arg-type]
