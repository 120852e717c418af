"""The plan that a stored checkpoint says it is, from its metadata; what the caller says comes first.

It must not know a tensor's data, nor whether the checkpoint keeps its word.
"""

from __future__ import annotations

from pathlib import Path

from .. import _core, models, recipes
from ..dtype import DTYPES
from ..plan.plan import Plan
from .stored_checkpoint import StoredCheckpoint
from .stored_laws import StoredLaws

__all__ = ["stated_plan"]

_CONFIG = "config.json"
_WAY_OUT = "give a model, a config or a plan to hold it against"


def stated_plan(
    checkpoint: StoredCheckpoint,
    *,
    model: str | None = None,
    config: Path | None = None,
    recipe: str | None = None,
    seed: int | None = None,
    dtype: str | None = None,
) -> Plan:
    """Return the plan that a checkpoint's metadata name; what the caller gives comes before what they say.

    Parameters
    ----------
    checkpoint : StoredCheckpoint
        Its metadata and element types.
    model : str, optional
        Name of a built-in model. Default: the plan of the laws in the metadata, if it has the hash that they
        state; else the built-in model that they name; else the ``config.json`` of the checkpoint's folder.
    config : path, optional
        A ``config.json`` instead of a model's name.
    recipe, seed, dtype : optional
        Instead of the metadata's and the stored tensors' own.

    Raises
    ------
    ImportError
        If a ``config.json`` must be read and transformers isn't installed.
    OSError
        If `config` can't be read.
    ValueError
        If the checkpoint is of another contract version, or doesn't say enough for a plan.
    """
    own = checkpoint.metadata
    version = own.get("contract_version", str(_core.CONTRACT_VERSION))
    if version != str(_core.CONTRACT_VERSION):
        raise ValueError(
            f"{checkpoint.path} is of contract version {version} and this fanfill gives the bits of version "
            f"{_core.CONTRACT_VERSION}; use the fanfill that wrote it"
        )
    if not own and model is None and config is None:
        raise ValueError(f"{checkpoint.path} wasn't written by fanfill; {_WAY_OUT}")
    if seed is None and "seed" not in own:
        raise ValueError(f"{checkpoint.path} doesn't say its seed; give one")
    seed = int(own["seed"]) if seed is None else seed
    if model is None and config is None:
        if recipe is None and dtype is None and (plan := _plan_of_laws(checkpoint)) is not None:
            return Plan(plan, seed=seed, model=plan.model, recipe=plan.recipe)
        if own.get("model") in models.names():
            model = own["model"]
        else:
            config = _config_beside(checkpoint)
    recipe, dtype = recipe or own.get("recipe"), dtype or _stored_dtype(checkpoint)
    if config is not None:
        from ..hf.config import HfConfig

        described = HfConfig.read(config)
        return described.recipe(recipe).plan(described.model, seed=seed, dtype=dtype)
    found = models.find(model or "")
    return recipes.find(recipe or found.recipe or "").plan(found, seed=seed, dtype=dtype)


def _plan_of_laws(checkpoint: StoredCheckpoint) -> Plan | None:
    """Return the plan of the laws that the files hold, if it has the hash that they state.

    Without that hash the laws could have been edited together with the values.
    """
    own = checkpoint.metadata
    if "laws" not in own or "seed" not in own:
        return None
    laws = StoredLaws.from_json(own["laws"])
    found = [laws.spec(name, tensor.shape, tensor.dtype) for name, (_, tensor) in checkpoint.tensors.items()]
    specs = [spec for spec in found if spec is not None]
    plan = Plan(specs, seed=int(own["seed"]), model=own.get("model"), recipe=own.get("recipe"))
    return plan if plan.hash == own.get("plan_hash") else None


def _config_beside(checkpoint: StoredCheckpoint) -> Path:
    folder = checkpoint.path if checkpoint.path.is_dir() else checkpoint.path.parent
    if (folder / _CONFIG).is_file():
        return folder / _CONFIG
    lacking = f", and {', '.join(checkpoint.missing_files[:5])} is missing" * bool(checkpoint.missing_files)
    raise ValueError(
        f"{checkpoint.path} doesn't say enough to make its plan again, of model "
        f"{checkpoint.metadata.get('model')!r}{lacking}; {_WAY_OUT}"
    )


def _stored_dtype(checkpoint: StoredCheckpoint) -> str | None:
    """Return the element type of all tensors that fanfill could have drawn, or None if they differ."""
    stored = {tensor.dtype for file in checkpoint.files for tensor in file.header.tensors}
    found = [dtype.name for dtype in DTYPES if dtype.safetensors_name in stored]
    return found[0] if len(found) == 1 else None
