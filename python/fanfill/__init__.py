"""fanfill: random initial weights for memory that you own, with the same bits everywhere.

It knows which names are public, and must not import a framework, a model or anything else that takes time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._core import CONTRACT_VERSION
from .arange import Arange
from .config import isas, show_config
from .empty import empty
from .fan import Fans, fans
from .fill import Job, fill_, fill_many_
from .gain import gain
from .initializer import normal, normal_, truncated_normal, truncated_normal_, uniform, uniform_
from .law import Constant, Law, Normal, TruncatedNormal, Uniform
from .log_uniform import LogUniform
from .region import Region
from .scaled_initializer import (
    glorot_normal,
    glorot_normal_,
    glorot_truncated_normal,
    glorot_truncated_normal_,
    glorot_uniform,
    glorot_uniform_,
    he_normal,
    he_normal_,
    he_truncated_normal,
    he_truncated_normal_,
    he_uniform,
    he_uniform_,
    kaiming_normal,
    kaiming_normal_,
    kaiming_truncated_normal,
    kaiming_truncated_normal_,
    kaiming_uniform,
    kaiming_uniform_,
    lecun_normal,
    lecun_normal_,
    lecun_truncated_normal,
    lecun_truncated_normal_,
    lecun_uniform,
    lecun_uniform_,
    xavier_normal,
    xavier_normal_,
    xavier_truncated_normal,
    xavier_truncated_normal_,
    xavier_uniform,
    xavier_uniform_,
)
from .stream import fresh_seed, stream_id
from .threads import get_num_threads, set_num_threads
from .variance_scaling import variance_scaling, variance_scaling_

if TYPE_CHECKING:
    from . import models, random, recipes
    from .build_paths import get_cmake_dir, get_include, get_library
    from .checkpoint.statistics import weight_statistics
    from .checkpoint.verification import Verification, verify
    from .model import Model, Parameter
    from .plan.param_spec import ParamSpec
    from .plan.plan import Plan
    from .recipe import Recipe
    from .signal.gains import Gains, gains
    from .signal.propagation import Propagation, propagation

    __version__: str

__all__ = [
    "CONTRACT_VERSION",
    "Arange",
    "Constant",
    "Fans",
    "Gains",
    "Job",
    "Law",
    "LogUniform",
    "Model",
    "Normal",
    "ParamSpec",
    "Parameter",
    "Plan",
    "Propagation",
    "Recipe",
    "Region",
    "TruncatedNormal",
    "Uniform",
    "Verification",
    "__version__",
    "empty",
    "fans",
    "fill_",
    "fill_many_",
    "fresh_seed",
    "gain",
    "gains",
    "get_cmake_dir",
    "get_include",
    "get_library",
    "get_num_threads",
    "glorot_normal",
    "glorot_normal_",
    "glorot_truncated_normal",
    "glorot_truncated_normal_",
    "glorot_uniform",
    "glorot_uniform_",
    "he_normal",
    "he_normal_",
    "he_truncated_normal",
    "he_truncated_normal_",
    "he_uniform",
    "he_uniform_",
    "isas",
    "kaiming_normal",
    "kaiming_normal_",
    "kaiming_truncated_normal",
    "kaiming_truncated_normal_",
    "kaiming_uniform",
    "kaiming_uniform_",
    "lecun_normal",
    "lecun_normal_",
    "lecun_truncated_normal",
    "lecun_truncated_normal_",
    "lecun_uniform",
    "lecun_uniform_",
    "models",
    "normal",
    "normal_",
    "propagation",
    "random",
    "recipes",
    "set_num_threads",
    "show_config",
    "stream_id",
    "truncated_normal",
    "truncated_normal_",
    "uniform",
    "uniform_",
    "variance_scaling",
    "variance_scaling_",
    "verify",
    "weight_statistics",
    "xavier_normal",
    "xavier_normal_",
    "xavier_truncated_normal",
    "xavier_truncated_normal_",
    "xavier_uniform",
    "xavier_uniform_",
]

# What a fill does not need is imported when it is asked for.
_LAZY = {
    "Gains": "signal.gains",
    "gains": "signal.gains",
    "get_cmake_dir": "build_paths",
    "get_include": "build_paths",
    "get_library": "build_paths",
    "Model": "model",
    "Parameter": "model",
    "ParamSpec": "plan.param_spec",
    "Plan": "plan.plan",
    "Propagation": "signal.propagation",
    "propagation": "signal.propagation",
    "Recipe": "recipe",
    "Verification": "checkpoint.verification",
    "verify": "checkpoint.verification",
    "weight_statistics": "checkpoint.statistics",
}
_LAZY_MODULES = {"jax", "keras", "models", "random", "recipes", "torch"}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        value: Any = version("fanfill")
    elif name in _LAZY or name in _LAZY_MODULES:
        from importlib import import_module

        module = import_module(f"{__name__}.{_LAZY.get(name, name)}")
        value = module if name in _LAZY_MODULES else getattr(module, name)
    else:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
