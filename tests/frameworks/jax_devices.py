"""One process of JAX with as many CPU devices as it was started with: says as JSON what its arrays are.

Run by test_jax_array.py, alone or as one of several hosts; it must not know what is right.
"""

from __future__ import annotations

import hashlib
import json
import sys
import warnings
from typing import Any

import numpy as np

import fanfill as ff

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import jax

    import fanfill.jax
    from fanfill.jax import initializers, sharded

PartitionSpec = jax.sharding.PartitionSpec
NamedSharding = jax.sharding.NamedSharding
AxisType = jax.sharding.AxisType

PLAN = ff.Plan(
    [
        ff.ParamSpec("embed", (16, 8), ff.Normal(0.0, 0.02), dtype="bfloat16", tie=("head",)),
        ff.ParamSpec("fused", (24, 16), (ff.Uniform(), ff.Normal(), ff.Constant(1.0)), parts=3),
        ff.ParamSpec("conv", (3, 5, 8, 16), ff.TruncatedNormal(), layout="io"),
        ff.ParamSpec("bias", (8,), ff.Constant(0.5), dtype="float16"),
        ff.ParamSpec("empty", (0, 8), ff.Normal()),
        ff.ParamSpec("scale", (), ff.Uniform()),
    ],
    seed=7,
)
SPECS = {
    "embed": [("x",), ("y", "x"), (None, ("x", "y")), ()],
    "fused": [("x", "y"), (("y", "x"), None)],
    "conv": [(None, None, "x", "y"), (None, None, None, ("x", "y"))],
    "bias": [("x",), (("x", "y"),), ()],
    "empty": [(None, "x")],
    "scale": [()],
}


def digest(array: Any) -> str:
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()


def shards(array: jax.Array, name: str) -> dict[str, Any]:
    """What of the parameter this process holds, and whether it is what the whole has there."""
    whole = PLAN.array(name)
    held = array.addressable_shards
    return {
        "shards": len(held),
        "right": all(digest(shard.data) == digest(whole[shard.index]) for shard in held),
        "dtype": str(array.dtype) == PLAN[name].dtype,
        "shape": array.shape == PLAN[name].shape,
    }


def array_report(mesh: jax.sharding.Mesh) -> dict[str, Any]:
    """Every parameter in every sharding, with the elements drawn for it and the memory that it took over."""
    filled: list[Any] = []
    fill_many_ = sharded.fill_many_

    def noted(jobs: Any, **options: Any) -> Any:
        filled.extend(job.out for job in jobs)
        return fill_many_(jobs, **options)

    sharded.fill_many_ = noted
    report = {}
    for name, specs in SPECS.items():
        for spec in specs:
            filled.clear()
            array = fanfill.jax.array(PLAN[name], NamedSharding(mesh, PartitionSpec(*spec)), seed=7)
            found = shards(array, name)
            blocks = {str(shard.index) for shard in array.addressable_shards}
            places = {out.ctypes.data for out in filled}
            found["drawn once"] = sum(out.size for out in filled) == sum(
                np.empty(PLAN[name].shape, bool)[shard.index].size
                for shard in {str(shard.index): shard for shard in array.addressable_shards}.values()
            )
            found["one buffer a block"] = len(filled) == len(blocks) == len(places)
            found["aligned"] = all(out.ctypes.data % 64 == 0 for out in filled if out.size)
            found["aliased"] = not array.size or all(
                shard.data.unsafe_buffer_pointer() in places for shard in array.addressable_shards
            )
            if jax.process_count() == 1:
                found["digest"] = digest(array)
            report[f"{name} {spec}"] = found
    sharded.fill_many_ = fill_many_
    return report


def initializer_report(mesh: jax.sharding.Mesh, key: jax.Array) -> dict[str, Any]:
    """One initializer with its sharding named in every way, inside jit and out of it, and what has none."""
    init = initializers.he_normal()
    shape = (64, 32)
    report: dict[str, Any] = {}

    def note(name: str, array: jax.Array, spec: Any) -> None:
        fits = spec is None or array.sharding.is_equivalent_to(NamedSharding(mesh, spec), array.ndim)
        report[name] = [digest(array), bool(fits)]

    for spec in (
        PartitionSpec("x"),
        PartitionSpec("y", "x"),
        PartitionSpec(None, ("x", "y")),
        PartitionSpec(),
    ):
        placed = NamedSharding(mesh, spec)
        note(f"eager {spec}", init(key, shape, out_sharding=placed), spec)
        note(f"jit {spec}", jax.jit(lambda key, s=placed: init(key, shape, out_sharding=s))(key), spec)
        with jax.set_mesh(mesh):
            note(f"eager by context {spec}", init(key, shape, out_sharding=spec), spec)
            note(
                f"jit by context {spec}",
                jax.jit(lambda key, s=spec: init(key, shape, out_sharding=s))(key),
                spec,
            )
    with jax.set_mesh(mesh):
        note("eager in context", init(key, shape), None)
        note("jit in context", jax.jit(lambda key: init(key, shape))(key), None)
        keys = jax.random.wrap_key_data(np.array([[0, 7], [0, 8]], np.uint32))
        note("vmap in context", jax.vmap(lambda key: init(key, shape))(keys)[0], None)
        note("jit vmap in context", jax.jit(jax.vmap(lambda key: init(key, shape)))(keys)[0], None)
        note("scan in context", jax.lax.scan(lambda c, key: (c, init(key, shape)), 0, keys)[1][0], None)
        rows = NamedSharding(mesh, PartitionSpec("x"))
        note("jit to a sharding", jax.jit(lambda key: init(key, shape), out_shardings=rows)(key), rows.spec)
    placed = NamedSharding(mesh, PartitionSpec("x"))
    stacked = jax.jit(jax.vmap(lambda key: init(key, shape, out_sharding=placed)))(keys)
    note("vmap with a sharding", stacked[0], None)
    return report


def refusal_report(mesh: jax.sharding.Mesh) -> dict[str, Any]:
    """What is said of 7 rows on more devices than one, and of a sharding of more axes than there are."""
    spec = ff.ParamSpec("w", (7, 3), ff.Normal())
    rows, third = (NamedSharding(mesh, PartitionSpec(*axes)) for axes in (("x",), (None, None, "x")))
    init, key = initializers.normal(), jax.random.key(7)
    calls = {
        "array": lambda: fanfill.jax.array(spec, rows, seed=7),
        "eager": lambda: init(key, (7, 3), out_sharding=rows),
        "jit": lambda: jax.jit(lambda key: init(key, (7, 3), out_sharding=rows))(key),
        "more axes than the shape": lambda: fanfill.jax.array(spec, third, seed=7),
    }
    report = {}
    for name, call in calls.items():
        try:
            call()
        except (TypeError, ValueError) as error:
            ours = str(error).partition("(7, 3): ")
            report[name] = [type(error).__name__, "".join(ours[:2])]
    return report


def main() -> None:
    if len(sys.argv) > 1:
        number, port = sys.argv[1:]
        jax.distributed.initialize(f"localhost:{port}", num_processes=2, process_id=int(number))
    count = jax.device_count()
    sides = (count // 2, 2) if count > 1 else (1, 1)
    report: dict[str, Any] = {"devices": count, "own devices": jax.local_device_count()}
    mesh = jax.make_mesh(sides, ("x", "y"), axis_types=(AxisType.Auto,) * 2)
    report["arrays"] = array_report(mesh)
    if jax.process_count() == 1 and count == 8:
        key = jax.random.key(7)
        report["uneven"] = refusal_report(mesh)
        for kind in (AxisType.Auto, AxisType.Explicit):
            own = jax.make_mesh(sides, ("x", "y"), axis_types=(kind,) * 2)
            report[f"initializers, {kind.name} axes"] = initializer_report(own, key)
    json.dump(report, sys.stdout)


main()
