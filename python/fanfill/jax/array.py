"""Knows how a plan's parameters become JAX arrays of given shardings, one or a whole tree.

It must not know how a shard is filled, nor initializers or keys of JAX.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax

from ..plan.param_spec import ParamSpec
from ..plan.plan import Plan
from ..stream import Seed, normalize_seed
from .element import element_of
from .sharded import sharded_array

__all__ = ["array", "init_tree"]


def array(spec: ParamSpec, sharding: Any, *, seed: Seed, threads: int | None = None) -> jax.Array:
    """Return a parameter as a JAX array, of which each process fills no more than the shards it addresses.

    The values are those of ``Plan.array`` and of every other filling of this parameter, whatever the
    sharding, the devices and the processes. Each distinct block is drawn once, into 64-byte aligned memory
    of its own; on the CPU that memory becomes the shard, and replicas share it.

    Parameters
    ----------
    spec : ParamSpec
        Name, shape, dtype and law.
    sharding : jax.sharding.Sharding
        Of the whole array. It may span devices of other processes.
    seed : int or numpy.random.SeedSequence
        As for ``Plan``.
    threads : int, optional
        As for ``fill_``.

    Returns
    -------
    jax.Array
        Of ``spec.shape`` and ``spec.dtype``.

    Raises
    ------
    TypeError
        If an argument is of the wrong kind.
    ValueError
        If the sharding does not fit the shape, such as an axis that its devices do not divide, or the dtype
        is float64 and JAX is in its 32-bit mode.

    Examples
    --------
    >>> import fanfill as ff, jax, fanfill.jax
    >>> spec = ff.ParamSpec("w", (8, 4), ff.Normal(0.0, 0.02), layout="io")
    >>> mesh = jax.make_mesh((1,), ("data",))
    >>> rows = jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec("data"))
    >>> fanfill.jax.array(spec, rows, seed=7).shape
    (8, 4)
    """
    if not isinstance(spec, ParamSpec):
        raise TypeError(f"spec must be a ParamSpec, not {type(spec).__name__}")
    number = normalize_seed(seed)
    _refuse_truncation(spec)
    try:
        return sharded_array(
            spec.drawn_law,
            spec.shape,
            spec.element,
            sharding,
            seed=number,
            stream=spec.stream,
            threads=threads,
        )
    except (TypeError, ValueError) as error:
        kind = TypeError if isinstance(error, TypeError) else ValueError
        raise kind(f"parameter {spec.name!r}: {error}") from error


def _refuse_truncation(spec: ParamSpec) -> None:
    if spec.dtype == "float64" and element_of(float).name != "float64":
        raise ValueError(
            f"dtype of parameter {spec.name!r} is float64, which JAX would cut to float32; set "
            f"jax_enable_x64, or build the plan with another dtype"
        )


def init_tree(
    plan: Plan,
    shardings: Any,
    *,
    threads: int | None = None,
    progress: Callable[[int, int], object] | None = None,
) -> Any:
    """Return a plan's parameters as a tree of JAX arrays, each made as by `array`.

    Parameters
    ----------
    plan : Plan
        Its names are the paths of the tree, keys joined by ``"."``: ``"params.Dense_0.kernel"``.
    shardings : jax.sharding.Sharding or tree of them
        One sharding for all parameters gives a dictionary by name. A tree, such as a nested dictionary or
        whatever ``jax.tree.map`` makes of a model's abstract parameters, gives a tree of the same structure;
        ``{name: sharding}`` is the flat one. A tied name may be in it too and gets its parameter's values.
    threads : int, optional
        As for ``fill_``.
    progress : callable, optional
        Told after each array the bytes of those that exist, and of all; of the whole arrays, whatever part
        this process holds.

    Returns
    -------
    tree of jax.Array

    Raises
    ------
    KeyError
        If names of the plan and paths of the tree do not agree; the message lists them. Nothing is filled.
    TypeError, ValueError
        As for `array`.

    Examples
    --------
    >>> import fanfill as ff, jax, fanfill.jax
    >>> kernel = ff.ParamSpec("dense.kernel", (8, 4), ff.Normal(0.0, 0.02), layout="io")
    >>> plan = ff.Plan([kernel, ff.ParamSpec("dense.bias", (4,), ff.Constant(0.0))], seed=7)
    >>> mesh = jax.make_mesh((1,), ("data",))
    >>> rows = jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec("data"))
    >>> all_of_it = jax.sharding.NamedSharding(mesh, jax.sharding.PartitionSpec())
    >>> tree = fanfill.jax.init_tree(plan, {"dense": {"kernel": rows, "bias": all_of_it}})
    >>> tree["dense"]["kernel"].shape
    (8, 4)
    """
    if not isinstance(plan, Plan):
        raise TypeError(f"plan must be a Plan, not {type(plan).__name__}")
    if isinstance(shardings, jax.sharding.Sharding):
        shardings = {spec.name: shardings for spec in plan}
    leaves, structure = jax.tree_util.tree_flatten_with_path(shardings)
    names = [jax.tree_util.keystr(path, simple=True, separator=".") for path, _ in leaves]
    specs = _specs_of(plan, names)
    total, done = sum(spec.nbytes for spec in specs), 0
    arrays = []
    for spec, (_, sharding) in zip(specs, leaves, strict=True):
        arrays.append(array(spec, sharding, seed=plan.seed, threads=threads))
        done += spec.nbytes
        if progress is not None:
            progress(done, total)
    return jax.tree_util.tree_unflatten(structure, arrays)


def _specs_of(plan: Plan, names: list[str]) -> list[ParamSpec]:
    """Return the parameter behind each name of the tree, or raise with the names that do not agree."""
    known = {name: spec for spec in plan for name in (spec.name, *spec.tie)}
    unknown = [name for name in names if name not in known]
    missing = [spec.name for spec in plan if spec.name not in set(names)]
    if unknown or missing:
        raise KeyError(
            f"shardings must have the plan's names as its paths; it lacks {missing}, and the plan knows no "
            f"{unknown}"
        )
    return [known[name] for name in names]
