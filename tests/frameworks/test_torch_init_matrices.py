"""orthogonal_ and sparse_ of fanfill.torch.init: outside of the bit contract, so shown by what must hold."""

from __future__ import annotations

import math
import warnings

import pytest

import fanfill as ff

pytestmark = pytest.mark.framework

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import torch

    from fanfill.torch import init

# A unit of rounding of the dtype, which the dot product of two vectors of norm 1 cannot exceed by much.
TOLERANCE = {torch.float64: 1e-13, torch.float32: 2e-6, torch.bfloat16: 2**-7, torch.float16: 2**-10}
SHAPES = [(40, 40), (17, 60), (60, 17), (12, 5, 3, 3), (1, 9), (9, 1), (1, 1)]


def orthogonality(weight: torch.Tensor, gain: float) -> float:
    """How far the shorter side's vectors are from orthogonal ones of length `gain`."""
    matrix = weight.detach().double().flatten(1) / gain
    product = matrix @ matrix.T if matrix.shape[0] <= matrix.shape[1] else matrix.T @ matrix
    return float((product - torch.eye(len(product), dtype=torch.float64)).abs().max())


@pytest.mark.parametrize("dtype", list(TOLERANCE))
@pytest.mark.parametrize("shape", SHAPES)
def test_orthogonal(shape: tuple[int, ...], dtype: torch.dtype) -> None:
    for gain in (1.0, math.sqrt(2.0)):
        weight = init.orthogonal_(torch.empty(shape, dtype=dtype), gain, seed=7, key="w")
        assert orthogonality(weight, gain) < TOLERANCE[dtype]
    assert orthogonality(init.normal_(torch.empty(8, 8), std=8**-0.5, seed=7, key="w"), 1.0) > 0.1


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_narrow_orthogonal_is_the_float32_one_rounded_once(dtype: torch.dtype) -> None:
    wide = init.orthogonal_(torch.empty(30, 20), 1.7, seed=7, key="w")
    assert torch.equal(
        init.orthogonal_(torch.empty(30, 20, dtype=dtype), 1.7, seed=7, key="w"), wide.to(dtype)
    )


def test_orthogonal_is_the_factor_of_the_drawn_matrix_with_positive_diagonal() -> None:
    weight = init.orthogonal_(torch.empty(30, 20), seed=7, key="w")
    normal = ff.normal_(torch.empty(30, 20), seed=7, key="w")
    r = weight.T @ normal
    assert torch.allclose(weight @ r, normal, atol=1e-5)
    assert torch.allclose(r.tril(-1), torch.zeros(20, 20), atol=1e-5)
    assert float(r.diagonal().min()) > 0


def test_orthogonal_is_uniformly_distributed() -> None:
    # The trace of a uniform orthogonal matrix has mean 0 and variance 1 (Diaconis, Shahshahani 1994); that of
    # LAPACK's own choice of signs has a mean of about -0.8.
    traces = torch.stack(
        [init.orthogonal_(torch.empty(4, 4), seed=7, key=number).trace() for number in range(256)]
    )
    assert abs(float(traces.mean())) < 4 / math.sqrt(256)
    assert abs(float(traces.var()) - 1) < 4 * math.sqrt(2 / 256)


def test_orthogonal_columns_of_zero_norm_do_not_arise_from_wide_or_empty_shapes() -> None:
    assert init.orthogonal_(torch.empty(3, 0), seed=7, key="w").numel() == 0
    assert init.orthogonal_(torch.empty(2, 3, 4).transpose(0, 2), seed=7, key="w").shape == (4, 3, 2)


@pytest.mark.parametrize("sparsity", [0.0, 0.1, 0.35, 0.9, 1.0, 1.5])
@pytest.mark.parametrize(
    "dtype", [torch.float64, torch.float32, torch.bfloat16, torch.float16, torch.float8_e5m2]
)
def test_sparse(sparsity: float, dtype: torch.dtype) -> None:
    weight = init.sparse_(torch.empty(50, 30, dtype=dtype), sparsity, 0.5, seed=7, key="w").double()
    expected = torch.nn.init.sparse_(torch.empty(50, 30), sparsity, 0.5)
    assert (weight == 0).sum(0).tolist() == (expected == 0).sum(0).tolist()
    plain = init.normal_(torch.empty(50, 30, dtype=dtype), 0, 0.5, seed=7, key="w").double()
    kept = weight != 0
    assert torch.equal(weight[kept], plain[kept])


def test_zeros_of_sparse_are_anywhere_alike_and_say_nothing_of_the_values() -> None:
    weight = init.sparse_(torch.empty(40, 20000), 0.25, seed=7, key="w")
    zeros = (weight == 0).double()
    counts = zeros.sum(1)  # of each row; 5000 expected, with the variance of a draw of 10 out of 40
    statistic = float(((counts - 5000) ** 2).sum() / (20000 * 0.25 * 0.75))
    assert abs(statistic - 40) < 4 * math.sqrt(80)
    plain = init.normal_(torch.empty(40, 20000), 0, 0.01, seed=7, key="w")
    for values in (plain, plain.abs()):
        correlation = float(torch.corrcoef(torch.stack([zeros.flatten(), values.flatten()]))[0, 1])
        assert abs(correlation) < 4 / math.sqrt(zeros.numel())
    neighbours = float(torch.corrcoef(torch.stack([zeros[:, 1:].flatten(), zeros[:, :-1].flatten()]))[0, 1])
    assert abs(neighbours) < 4 / math.sqrt(zeros.numel())


def test_zeros_of_sparse_do_not_depend_on_the_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = init.sparse_(torch.empty(30, 41), 0.3, seed=7, key="w")
    monkeypatch.setattr("fanfill.torch.init.sparse._CHUNK", 100)
    assert torch.equal(init.sparse_(torch.empty(30, 41), 0.3, seed=7, key="w"), whole)


def test_integer_and_text_keys_have_zeros_of_their_own() -> None:
    drawn = [
        init.sparse_(torch.empty(64, 8), 0.5, seed=7, key=key) == 0 for key in (0, 1, "w", ff.stream_id("w"))
    ]
    assert torch.equal(drawn[2], drawn[3])
    assert not torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2])
