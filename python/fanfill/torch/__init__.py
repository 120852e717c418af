"""fanfill for PyTorch: its initializers and whole models, drawn by fanfill.

It knows which names are public and where they are, and must not import torch until one of them is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import init
    from .acceleration import accelerate
    from .diagnosis import Diagnosis, LayerDiagnosis, diagnose
    from .empty_tensor import empty
    from .fill import fill_
    from .initialize import initialize_
    from .layer_sequential import lsuv_
    from .module_model import model_of
    from .module_plan import plan
    from .shard import region_of

__all__ = [
    "Diagnosis",
    "LayerDiagnosis",
    "accelerate",
    "diagnose",
    "empty",
    "fill_",
    "init",
    "initialize_",
    "lsuv_",
    "model_of",
    "plan",
    "region_of",
]

# Public name: the module here that defines it, or that is it.
_LAZY = {
    "Diagnosis": "diagnosis",
    "LayerDiagnosis": "diagnosis",
    "accelerate": "acceleration",
    "diagnose": "diagnosis",
    "empty": "empty_tensor",
    "fill_": "fill",
    "init": "init",
    "initialize_": "initialize",
    "lsuv_": "layer_sequential",
    "model_of": "module_model",
    "plan": "module_plan",
    "region_of": "shard",
}


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    try:
        import torch  # noqa: F401
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        raise ImportError(f'fanfill.torch.{name} needs PyTorch: pip install "fanfill[torch]"') from error
    module = import_module(f"{__name__}.{_LAZY[name]}")
    value = module if name == _LAZY[name] else getattr(module, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
