"""Knows how a plan's values get into the weights of a Keras model, whatever the backend.

It must not know layers or initializers, nor how a plan came about.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

import keras

from ..plan.param_spec import ParamSpec
from ..plan.plan import Plan
from .drawn_tensor import as_tensor

__all__ = ["initialize_"]

ModelT = TypeVar("ModelT")


def initialize_(
    model: ModelT, plan: Plan, only: Iterable[str] | None = None, *, threads: int | None = None
) -> ModelT:
    """Give the weights of a model the values of a plan, and return it.

    The values are those of ``Plan.array``: the same in Keras on any backend, NumPy, torch and JAX.

    Parameters
    ----------
    model : keras.Model or keras.Layer
        Built, so that it has its weights. With JAX each keeps its sharding, and each shard is filled by
        itself.
    plan : Plan
        Its names are the paths of the weights, without the model's own name in front: ``"dense/kernel"``. A
        tied name gets its parameter's values.
    only : iterable of str, optional
        Fill these parameters alone. Without it the names of the plan and of the model's weights must agree.
    threads : int, optional
        As for ``fanfill.fill_``.

    Returns
    -------
    keras.Model or keras.Layer
        `model` itself.

    Raises
    ------
    KeyError
        If names are missing or unknown; the message lists them.
    TypeError, ValueError
        If a weight has another shape or dtype than the plan says, or two have one path. Nothing is written
        then.

    Examples
    --------
    >>> import fanfill as ff, fanfill.keras, keras
    >>> model = keras.Sequential([keras.Input((8,)), keras.layers.Dense(4, use_bias=False, name="dense")])
    >>> kernel = ff.ParamSpec("dense/kernel", (8, 4), ff.TruncatedNormal(0.0, 0.02), layout="io")
    >>> fanfill.keras.initialize_(model, ff.Plan([kernel], seed=7)).layers[0].kernel.shape
    (8, 4)
    """
    if not isinstance(plan, Plan):
        raise TypeError(f"plan must be a Plan, not {type(plan).__name__}")
    weights = _weights_by_name(model)
    chosen = _chosen(plan, weights, only)
    for name, spec in chosen:
        weight = weights[name]
        if tuple(weight.shape) != spec.shape or weight.dtype != spec.dtype:
            raise ValueError(
                f"model: weight {name!r} is {weight.dtype} of shape {tuple(weight.shape)} and the plan says "
                f"{spec.dtype} of shape {spec.shape}; build the plan with the model's shapes and dtypes"
            )
    for name, spec in chosen:
        weights[name].assign(_values(weights[name], spec, plan.seed, threads))
    return model


def _weights_by_name(model: Any) -> dict[str, Any]:
    if not isinstance(model, keras.Layer):  # which models are too
        raise TypeError(f"model must be a Keras model or layer, not {type(model).__name__}")
    weights: dict[str, Any] = {}
    for weight in model.weights:
        name = weight.path.removeprefix(f"{model.name}/")
        if name in weights:
            raise ValueError(f"model has two weights of the path {name!r}; name its layers differently")
        weights[name] = weight
    return weights


def _chosen(plan: Plan, weights: dict[str, Any], only: Iterable[str] | None) -> list[tuple[str, ParamSpec]]:
    """Return the weights to fill, with their parameters, or raise with the names that do not agree."""
    specs = {name: spec for spec in plan for name in (spec.name, *spec.tie)}
    if only is None:
        unknown = [name for name in weights if name not in specs]
        if unknown:
            raise KeyError(
                f"model has weights that the plan does not know, pass only= to skip them: {unknown}"
            )
        missing = [spec.name for spec in plan if spec.name not in weights]
        names = list(weights)
    else:
        names = [only] if isinstance(only, str) else list(dict.fromkeys(only))
        unknown = [name for name in names if name not in specs]
        if unknown:
            raise KeyError(f"only names parameters that the plan does not know: {unknown}")
        missing = [name for name in names if name not in weights]
    if missing:
        raise KeyError(f"model lacks weights of the plan: {missing}; is it built?")
    return [(name, specs[name]) for name in names]


def _values(weight: Any, spec: ParamSpec, seed: int, threads: int | None) -> Any:
    if keras.backend.backend() == "jax":
        from ..jax import array

        return array(spec, weight.value.sharding, seed=seed, threads=threads)
    return as_tensor(Plan([spec], seed=seed).array(spec.name, threads=threads), spec.element)
