"""torch tensors: written without a copy where they have memory, refused with the way out otherwise."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import fanfill as ff
from fanfill.dtype import DTYPES, as_dtype

pytestmark = pytest.mark.framework

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import torch
    import torch.distributed as dist
    from torch._subclasses.fake_tensor import FakeTensorMode
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.tensor import Shard, distribute_tensor

NAMES = [dtype.name for dtype in DTYPES]


def fill(out: Any, **options: Any) -> Any:
    return ff.normal_(out, seed=7, key="w", **options)


def bits(tensor: torch.Tensor) -> np.ndarray:
    return tensor.detach().contiguous().reshape(-1).view(torch.uint8).numpy()


def expected(shape: tuple[int, ...], name: str) -> np.ndarray:
    return ff.normal(shape, seed=7, key="w", dtype=name).reshape(-1).view(np.uint8)


def refused(
    out: Any, error: type[Exception], match: str, shown: torch.Tensor | None = None, **options: Any
) -> None:
    before = None if shown is None else bits(shown).copy()
    with pytest.raises(error, match=match):
        fill(out, **options)
    if shown is not None:
        np.testing.assert_array_equal(bits(shown), before)


@pytest.mark.parametrize("name", NAMES)
def test_every_element_type_without_a_copy(name: str) -> None:
    out = torch.zeros(5, 7, dtype=getattr(torch, name))
    address = out.data_ptr()
    assert fill(out) is out
    assert out.data_ptr() == address
    np.testing.assert_array_equal(bits(out), expected((5, 7), name))


@pytest.mark.parametrize("name", NAMES)
def test_torch_dtypes_name_element_types(name: str) -> None:
    assert as_dtype(getattr(torch, name)).name == name
    assert ff.normal(3, seed=0, dtype=getattr(torch, name)).dtype == as_dtype(name).numpy_dtype()


@pytest.mark.parametrize("dtype", [torch.int32, torch.complex64, torch.bool, torch.float8_e4m3fnuz])
def test_other_torch_dtypes_name_none(dtype: torch.dtype) -> None:
    with pytest.raises(TypeError, match=r"dtype: torch\..* is not an element type that fanfill writes"):
        ff.normal(3, seed=0, dtype=dtype)


@pytest.mark.parametrize("name", ["float32", "bfloat16", "float64"])
def test_views_of_any_strides(name: str) -> None:
    base = torch.full((8, 9, 6), 5.0, dtype=getattr(torch, name))
    for view in (base[2:6, ::2], base.permute(2, 0, 1), base[:, 4], base[..., 1:2], base[0, 0, 0], base[3:3]):
        base.fill_(5.0)
        fill(view)
        np.testing.assert_array_equal(bits(view), expected(tuple(view.shape), name))
        assert (base == 5.0).sum() >= base.numel() - view.numel()


def test_channels_last() -> None:
    out = torch.zeros(2, 3, 4, 5).to(memory_format=torch.channels_last)
    np.testing.assert_array_equal(bits(fill(out)), expected((2, 3, 4, 5), "float32"))


def test_fans_come_from_a_tensors_shape() -> None:
    out = ff.he_normal_(torch.zeros(64, 32, 3, 3), seed=7, key="w")
    np.testing.assert_array_equal(out.numpy(), ff.he_normal((64, 32, 3, 3), seed=7, key="w"))


def test_a_parameter_is_filled_as_under_no_grad() -> None:
    parameter = torch.nn.Parameter(torch.zeros(4, 3, dtype=torch.bfloat16))
    assert fill(parameter) is parameter
    assert parameter.is_leaf
    assert parameter.requires_grad
    assert parameter.grad_fn is None
    np.testing.assert_array_equal(bits(parameter), expected((4, 3), "bfloat16"))


@pytest.mark.parametrize("make", [torch.zeros, lambda n: torch.nn.Parameter(torch.zeros(n)).detach()])
def test_the_version_counter_is_bumped_once(make: Any) -> None:
    out = make(4)
    before = out._version
    fill(out)
    assert out._version == before + 1


def test_a_value_saved_for_backward_is_known_to_be_gone() -> None:
    weight = torch.nn.Parameter(torch.ones(3))
    loss = (weight * weight).sum()
    fill(weight)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


def test_the_version_counter_of_many_jobs_is_bumped() -> None:
    tensors = [torch.zeros(4), torch.nn.Parameter(torch.zeros(3))]
    ff.fill_many_([ff.Job(each, ff.Normal(), f"{i}") for i, each in enumerate(tensors)], seed=7)
    assert [each._version for each in tensors] == [1, 1]


def test_the_version_counter_is_bumped_if_a_fill_is_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: Any) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(ff.fill_.__globals__["_core"], "fill_many", interrupt)
    out = torch.zeros(8)
    with pytest.raises(KeyboardInterrupt):
        fill(out[::2])
    assert out._version == 1


def test_the_version_counter_stays_on_an_error() -> None:
    out = torch.zeros(4)
    for options in ({"std": 1e38}, {"threads": 0}, {"region": 5}):
        with pytest.raises((TypeError, ValueError)):
            fill(out, **options)  # type: ignore[arg-type]
    assert out._version == 0


def test_an_inference_tensor_has_no_counter_and_is_filled() -> None:
    with torch.inference_mode():
        out = torch.zeros(5, 7)
    np.testing.assert_array_equal(bits(fill(out)), expected((5, 7), "float32"))


def test_a_copy_on_write_tensor_gets_its_own_memory() -> None:
    base = torch.zeros(4)
    copy = torch._lazy_clone(base)
    fill(copy)
    assert (base == 0).all()
    np.testing.assert_array_equal(bits(copy), expected((4,), "float32"))


def test_a_tensor_over_numpy_memory() -> None:
    base = np.zeros(4, np.float32)
    fill(torch.from_numpy(base))
    np.testing.assert_array_equal(base, ff.normal(4, seed=7, key="w"))


def test_tensors_that_share_memory_are_refused() -> None:
    base = torch.zeros(6, 8)
    jobs = [ff.Job(base[:, :5], ff.Normal(), "a"), ff.Job(base.numpy()[:, 4:], ff.Normal(), "b")]
    with pytest.raises(ValueError, match=r"jobs\[0\].out and jobs\[1\].out overlap in memory"):
        ff.fill_many_(jobs, seed=7)
    assert (base == 0).all()


def test_naming_the_type_that_the_tensor_has_is_allowed() -> None:
    fill(torch.zeros(4), dtype=torch.float32)


@pytest.mark.parametrize("name", NAMES)
def test_the_short_road_and_the_long_one_give_the_same_bits(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def tensors() -> list[torch.Tensor]:
        base = torch.zeros(12, 5, dtype=getattr(torch, name))
        return [base[:3], base[3:5].view(-1), torch.nn.Parameter(base.clone()), base[6:6], base[7, 2]]

    core = ff.fill_.__globals__["_core"]
    long_roads = []
    for function in ("fill_plain", "fill_plain_many"):
        monkeypatch.setattr(core, function, _watched(getattr(core, function), long_roads))
    short, many = tensors(), tensors()
    for number, each in enumerate(short):
        ff.normal_(each, seed=7, key=number)
    ff.fill_many_([ff.Job(each, ff.Normal(), number) for number, each in enumerate(many)], seed=7)
    assert long_roads == []
    for function in ("fill_plain", "fill_plain_many"):
        monkeypatch.setattr(core, function, lambda *_: False)
    long = tensors()
    for number, each in enumerate(long):
        ff.normal_(each, seed=7, key=number)
    for one, other, third in zip(short, long, many, strict=True):
        np.testing.assert_array_equal(bits(one), bits(other))
        np.testing.assert_array_equal(bits(third), bits(other))
    assert [each._version for each in short] == [each._version for each in long]


def _watched(function: Any, long_roads: list[Any]) -> Any:
    def watched(questions: Any, out: Any, *arguments: Any) -> bool:
        is_plain: bool = function(questions, out, *arguments)
        if not is_plain:
            long_roads.append(out)
        return is_plain

    return watched


# What is refused.


@pytest.mark.parametrize("dtype", [torch.int64, torch.complex64, torch.bool, torch.float8_e5m2fnuz])
def test_wrong_dtype_is_refused(dtype: torch.dtype) -> None:
    refused(torch.zeros(4, dtype=dtype), TypeError, r"out has elements of torch\..*; fanfill writes float64")


def test_bits_of_another_type_and_complex_numbers_are_refused_with_the_way_out() -> None:
    for dtype in (torch.uint16, torch.int16):
        out = torch.zeros(4, dtype=dtype)
        refused(out, TypeError, r"pass out\.view\(torch\.bfloat16 or torch\.float16\)$")
        refused(out, TypeError, r"pass out\.view\(torch\.bfloat16 or torch\.float16\)$", dtype="bfloat16")
        ff.normal_(out.view(torch.bfloat16), seed=7, key="w")
        assert out.any()
    refused(
        torch.zeros(4, dtype=torch.complex64), TypeError, r"fill out\.real and out\.imag, each under its own"
    )


def test_another_dtype_than_the_tensors_is_refused() -> None:
    out = torch.zeros(4, dtype=torch.uint16)
    refused(out, TypeError, "out has elements of torch.uint16", shown=out, dtype="bfloat16")
    out = torch.zeros(4)
    match = r"dtype: out has elements of torch.float32 .*out.view\(torch.bfloat16\)"
    refused(out, TypeError, match, shown=out, dtype="bfloat16")


def test_meta_tensor_is_refused() -> None:
    refused(torch.empty(4, device="meta"), ValueError, r"meta tensor .*fanfill\.torch\.initialize_ gives")


def test_fake_tensor_is_refused() -> None:
    with FakeTensorMode():
        out = torch.empty(4)
    refused(out, ValueError, "out is a FakeTensor and has no memory")


def test_a_cuda_tensor_is_refused() -> None:
    # A fake one, because the machine need not have a GPU; a real one says the same of itself.
    class OnCuda(torch.Tensor):
        @property
        def device(self) -> torch.device:  # type: ignore[override]
            return torch.device("cuda:0")

    out = torch.zeros(4)
    match = r"out is on cuda:0; fanfill\.torch\.fill_ fills it, fanfill\.torch\.initialize_ a whole module"
    refused(out.as_subclass(OnCuda), ValueError, match, shown=out)


@pytest.fixture
def mesh() -> Any:
    dist.init_process_group("gloo", init_method="tcp://127.0.0.1:0", rank=0, world_size=1)
    yield init_device_mesh("cpu", (1,))
    dist.destroy_process_group()


def test_dtensor_is_refused(mesh: Any) -> None:
    out = distribute_tensor(torch.zeros(8, 3), mesh, [Shard(0)])
    refused(
        out,
        TypeError,
        r"out is a DTensor, .*fanfill\.torch\.fill_ fills that, fanfill\.torch\.initialize_ those of",
        shown=out.to_local(),
    )
    fill(out.to_local())


@pytest.mark.parametrize("layout", ["to_sparse", "to_sparse_csr"])
def test_sparse_tensor_is_refused(layout: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        out = getattr(torch.eye(4), layout)()
    refused(
        out,
        TypeError,
        r"out is not dense but has layout torch\.sparse",
        shown=out.values() if "csr" in layout else None,
    )


def test_negative_bit_view_is_refused() -> None:
    base = torch.zeros(4, dtype=torch.complex64)
    out = base.conj().imag
    assert out.is_neg()
    refused(out, ValueError, "out is a view with the negative bit set; fill the tensor that it views")
    assert (base == 0).all()


def test_conjugate_view_is_refused() -> None:
    refused(torch.zeros(4, dtype=torch.complex64).conj(), ValueError, "out is a conjugate view")


def test_expanded_tensor_is_refused() -> None:
    base = torch.zeros(3)
    refused(base.expand(4, 3), ValueError, "out has stride 0 along an axis", shown=base)


def test_overlapping_windows_are_refused() -> None:
    base = torch.zeros(10)
    refused(base.unfold(0, 3, 1), ValueError, "out has elements that overlap in memory", shown=base)


def test_lazy_parameter_is_refused() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        out = torch.nn.LazyLinear(4).weight
    refused(out, ValueError, "out is a lazy parameter without a shape yet")


def test_nested_tensor_of_strided_layout_is_refused() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        out = torch.nested.nested_tensor([torch.zeros(2, 3), torch.zeros(4, 3)])
    match = r"out is a nested tensor, whose rows differ in shape; fill the tensors of out.unbind\(\)"
    refused(out, TypeError, match)
    assert not any(each.any() for each in out.unbind())
    for each in out.unbind():
        fill(each)


def test_nested_tensor_is_refused() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        out = torch.nested.nested_tensor([torch.zeros(2, 3), torch.zeros(4, 3)], layout=torch.jagged)
    refused(out, TypeError, "out is a torch.nested.*, which wraps other tensors; fill those")


def test_tensor_of_a_functional_transform_is_refused() -> None:
    base = torch.zeros(3, 4)

    def inner(row: torch.Tensor) -> torch.Tensor:
        refused(row, TypeError, "out belongs to a torch.func transform; fill it outside of vmap and grad")
        return row

    torch.func.vmap(inner)(base)
    assert (base == 0).all()


@pytest.mark.parametrize("view", [lambda t: t, lambda t: t[2:]], ids=["at its start", "at an offset"])
def test_tensor_whose_storage_was_freed_is_refused(view: Any) -> None:
    base = torch.zeros(8)
    out = view(base)
    base.untyped_storage().resize_(0)
    refused(out, ValueError, "out needs 32 bytes and its storage holds 0: the storage was freed or resized")


def test_misaligned_tensor_is_refused() -> None:
    base = torch.zeros(17, dtype=torch.uint8)
    out = torch.frombuffer(base.numpy(), dtype=torch.float32, offset=1, count=4)
    refused(out, ValueError, "out is not aligned to the 4 bytes of a float32", shown=base)


def test_memory_of_another_shape_than_the_region_is_refused() -> None:
    out = torch.zeros(3, 4)
    match = r"region holds a part of shape \(2, 4\), and out has shape \(3, 4\)"
    refused(out, ValueError, match, shown=out, region=ff.Region.box((6, 4), (0, 0), (2, 4)))


def test_the_tensor_itself_is_read_and_not_its_dlpack_capsule() -> None:
    class NoExport(torch.Tensor):
        def __dlpack__(self, *args: Any, **kwargs: Any) -> Any:
            raise AssertionError("DLPack of a FakeTensor or a negative view lies; read the tensor itself")

    fill(torch.zeros(4).as_subclass(NoExport))
