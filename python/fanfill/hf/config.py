"""A Hugging Face ``config.json``: the model that it describes, as its checkpoint has it, without its weights.

It must not know how a checkpoint is written, nor download anything or run code that comes with the file.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from unittest import mock

from .. import models, recipes
from ..catalog import closest_name
from ..dtype import BY_NAME
from ..law import Law
from ..model import Model
from ..recipe import Match, Recipe
from ..regular_file import read_regular
from ..strict_json import json_object
from .laws import LawRecorder
from .tensors import HfTensor, checkpoint_tensors

__all__ = ["HfConfig"]

_MAX_BYTES = 16 * 2**20
# What is built one by one, by a word in the key that counts it.
_LAYERS = ("layer", "depth", "block", "stage")
_MOST = {**dict.fromkeys(_LAYERS, 10_000), "expert": 10_000, "codebook": 10_000, "label": 1_000_000}
_MOST_TENSORS = 1_000_000
_MOST_PARTS = 2 * _MOST_TENSORS  # modules and their parameters
_MOST_OF_ANYTHING = 1 << 33
_RECORDED = "hf-default"
# The recipe of a family, where it isn't what transformers draws.
_FAMILY_RECIPES = {
    "gpt2": "gpt2",
    "deepseek_v3": "deepseek",
    "vit": "vit-timm",
    "resnet": "resnet",
    "t5": "t5",
}
_NOT_WRITTEN = ("dtype", "torch_dtype", "transformers_version", "_name_or_path")
# What tells loaders that weights are packed and scaled; those that a plan describes are not.
_QUANTIZATION = ("quantization_config", "compression_config")
# Which code computes, which changes no weight: packages that needn't be here, or code from the hub.
_IMPLEMENTATION = re.compile(r"_*(attn|experts)_implementation(_internal|_autoset)?", re.ASCII)


@dataclass(frozen=True)
class HfConfig:
    """What a ``config.json`` describes.

    Attributes
    ----------
    path : Path
        The file.
    model : Model
        Names and shapes as `save_pretrained` writes them, in the published layout and not that in memory:
        experts one by one, tied weights once. Where tensors and configured spread are those of a built-in
        model it is that model, and so gives the same bits.
    laws : mapping of str to Law
        What the model's own class in transformers draws, for the tensors where that follows a law.
    quantization : str or None
        The method by which the file says that the published weights are quantized. The model is the one
        before that, and its configuration doesn't say it.

    Examples
    --------
    >>> from fanfill.hf.config import HfConfig
    >>> config = HfConfig.read("gpt2/config.json")  # doctest: +SKIP
    >>> plan = config.recipe().plan(config.model, seed=0)  # doctest: +SKIP
    """

    path: Path
    model: Model
    laws: Mapping[str, Law]
    quantization: str | None = None

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> HfConfig:
        """Return what a ``config.json`` describes; a folder stands for the one in it.

        Raises
        ------
        ImportError
            If transformers 5 or torch isn't installed.
        OSError
            If the file can't be read.
        ValueError
            If the file is no configuration of an architecture that transformers has itself (code that comes
            with a checkpoint is never run), or one that can't be built or held in a checkpoint.
        """
        path = Path(path)
        if path.is_dir():
            path = path / "config.json"
        try:
            content = json_object(read_regular(path, _MAX_BYTES), "the config", infinities=True)
            _check_numbers(content)
            quantization = _quantization(content)
            content = _unquantized(content)
            tensors, counters, config = _described(content)
            model = _model(content, tensors, counters, config)
        except ValueError as error:
            raise ValueError(f"config: {path}: {error}") from error
        laws = {tensor.parameter.name: tensor.law for tensor in tensors if tensor.law is not None}
        return cls(path, model, laws, quantization)

    def recipe(self, name: str | None = None) -> Recipe:
        """Return the recipe of a name, or the model's default; it covers the model.

        Parameters
        ----------
        name : str, optional
            One that `fanfill.recipes` knows. ``hf-default`` is what the model's own class draws, whatever the
            architecture. Default: that of the built-in model, of the family, or else ``hf-default``.

        Raises
        ------
        ValueError
            If the recipe is unknown or doesn't cover the model; it lists the parameters it has no rule for.
        """
        is_built_in = self.model.name in models.names()
        if name is None:
            name = self.model.recipe or _RECORDED
            if not is_built_in and name != _RECORDED and recipes.find(name).unmatched(self.model):
                name = _RECORDED
        recorded = name == _RECORDED and not is_built_in
        recipe = self._recorded() if recorded else recipes.find(name)
        unmatched = recipe.unmatched(self.model)
        if recorded:
            unmatched = [p.name for p in self.model.parameters if p.name not in self.laws]
        if unmatched:
            raise ValueError(
                f"recipe {name!r} has no rule for {len(unmatched)} of the {len(self.model.parameters)} "
                f"parameters of {self.path}; choose another recipe, or make a plan in Python, for: "
                f"{', '.join(unmatched[:50])}{', ...' if len(unmatched) > 50 else ''}"
            )
        return recipe

    def _recorded(self) -> Recipe:
        def drawn(match: Match) -> Law:
            return self.laws[match.parameter.name]

        return Recipe(_RECORDED, ((r"(?s:.*)", drawn),), citation=recipes.find(_RECORDED).citation)


def _check_numbers(content: Mapping[str, Any]) -> None:
    """Refuse what would build for hours or overflow: numbers that no model has."""
    largest = dict.fromkeys(_MOST, 1)
    for key, number in _numbers(content, ""):
        kinds = [kind for kind in _MOST if kind in key and "size" not in key and "dim" not in key]
        if abs(number) > _MOST_OF_ANYTHING or any(number > _MOST[kind] for kind in kinds):
            raise ValueError(f"{key[:100]} is {number}; no model has so many")
        for kind in kinds:
            largest[kind] = max(largest[kind], number)
    layers = max(largest[kind] for kind in _LAYERS)
    if layers * largest["expert"] > _MOST_TENSORS:
        raise ValueError(f"{layers} layers of {largest['expert']} experts each; no model has so many")


def _numbers(value: Any, key: str) -> Iterator[tuple[str, int]]:
    """Yield every integer in a configuration, with the innermost key that it stands under."""
    if isinstance(value, dict):
        for name, member in value.items():
            yield from _numbers(member, name)
    elif isinstance(value, list):
        for member in value:
            yield from _numbers(member, key)
    elif isinstance(value, int):
        yield key, value


def _described(content: Mapping[str, Any]) -> tuple[list[HfTensor], tuple[str, ...], Any]:
    """Return the checkpoint's tensors, its counters, and the configuration as transformers has it."""
    model_type: Any = content.get("model_type")
    architectures: Any = content.get("architectures")
    if not isinstance(model_type, str):
        raise ValueError("it has no model_type, so it is no configuration of transformers")
    is_list = isinstance(architectures, list) and len(architectures) == 1
    if not is_list or not isinstance(architectures[0], str):
        raise ValueError('it must name one class, e.g. "architectures": ["LlamaForCausalLM"]')
    try:
        import torch
        import transformers
        import transformers.initialization  # of transformers 5
        from transformers.models.auto.configuration_auto import CONFIG_MAPPING
    except ImportError as error:
        raise ImportError(f'config: reading one needs pip install "fanfill[hf]" ({error})') from error
    if model_type not in CONFIG_MAPPING:
        _refuse_unknown(model_type, content, list(CONFIG_MAPPING))
    with _quiet(transformers):
        try:
            members = {key: _member(value) for key, value in content.items() if _is_read(key)}
            config = CONFIG_MAPPING[model_type].from_dict(members)
            model_class = _model_class(transformers, architectures[0], config)
            with torch.device("meta"), LawRecorder() as recorder, _bounded(torch.nn.Module):
                model = model_class(config)
                for module in model.modules():  # what construction has marked as done is to be drawn here
                    module.__dict__.pop("_is_hf_initialized", None)
                model.initialize_weights()
            return *checkpoint_tensors(model, recorder.laws(model)), config
        except MemoryError:
            raise
        except Exception as error:  # whatever a model's class raises, a package that it misses included
            reason = " ".join(str(error).split())
            raise ValueError(f"{architectures[0]} can't be built from it: {reason}") from error


@contextlib.contextmanager
def _bounded(module: Any) -> Iterator[None]:
    """Let no model have so many modules and parameters that it would be built for hours."""
    built = 0

    def counting(method: Any) -> Any:
        def counted(self: Any, *arguments: Any, **named: Any) -> Any:
            nonlocal built
            built += 1
            if built > _MOST_PARTS:
                raise ValueError(f"it has more than {_MOST_PARTS:,} modules and parameters")
            return method(self, *arguments, **named)

        return counted

    with (
        mock.patch.object(module, "__init__", counting(module.__init__)),
        mock.patch.object(module, "register_parameter", counting(module.register_parameter)),
    ):
        yield


def _quantization(value: Any) -> str | None:
    """Return the method by which the weights are quantized, wherever the configuration says it."""
    if not isinstance(value, dict):
        return None
    for key in _QUANTIZATION:
        if value.get(key) is not None:
            named = value[key].get("quant_method") if isinstance(value[key], dict) else None
            return named[:50] if isinstance(named, str) and named.isprintable() else "a method without a name"
    return next((found for member in value.values() if (found := _quantization(member))), None)


def _unquantized(value: Any) -> Any:
    """Return a configuration as it is without quantization, that of a model within the model included."""
    if not isinstance(value, dict):
        return value
    return {key: _unquantized(member) for key, member in value.items() if key not in _QUANTIZATION}


def _is_read(key: str) -> bool:
    return key not in _NOT_WRITTEN and _IMPLEMENTATION.fullmatch(key) is None


def _member(value: Any) -> Any:
    """Return a member as transformers shall read it: infinities, which it writes as objects, as floats."""
    if isinstance(value, dict):
        if set(value) == {"__float__"} and value["__float__"] in ("Infinity", "-Infinity"):
            return float(value["__float__"])
        return {key: _member(member) for key, member in value.items() if not _IMPLEMENTATION.fullmatch(key)}
    return [_member(member) for member in value] if isinstance(value, list) else value


def _refuse_unknown(model_type: str, content: Mapping[str, Any], known: list[str]) -> None:
    if "auto_map" in content:
        raise ValueError(
            f"model_type {model_type!r} needs the code that comes with the checkpoint (trust_remote_code), "
            "and fanfill runs no such code; build the model yourself and make a plan of its names and shapes"
        )
    closest = closest_name(model_type, known)
    hint = f", did you mean {closest!r}?" if closest else ""
    raise ValueError(f"this transformers has no model_type {model_type!r}{hint}")


def _model_class(transformers: Any, name: str, config: Any) -> Any:
    """Return the class of that name, if it is one of transformers' models and for this configuration."""
    found = getattr(transformers, name, None) if name.isidentifier() else None
    if not isinstance(found, type) or not issubclass(found, transformers.PreTrainedModel):
        raise ValueError(f"transformers has no model called {name[:100]!r}")
    if not isinstance(config, getattr(found, "config_class", None) or ()):
        raise ValueError(f"{name} isn't a class for model_type {config.model_type!r}")
    return found


@contextlib.contextmanager
def _quiet(transformers: Any) -> Iterator[None]:
    """Let transformers neither reach for the network nor tell of what it builds."""
    from huggingface_hub import constants

    before = transformers.logging.get_verbosity()
    transformers.logging.set_verbosity_error()
    try:
        with mock.patch.object(constants, "HF_HUB_OFFLINE", True):
            yield
    finally:
        transformers.logging.set_verbosity(before)


def _model(
    content: Mapping[str, Any], tensors: list[HfTensor], counters: tuple[str, ...], config: Any
) -> Model:
    text = config.get_text_config()
    depth = next(
        (
            n
            for key in ("num_hidden_layers", "num_layers", "n_layer")
            if type(n := getattr(text, key, 0)) is int and n
        ),
        1,
    )
    width = getattr(text, "hidden_size", None)
    dtype = str(content.get("dtype") or content.get("torch_dtype") or "float32").removeprefix("torch.")
    written = {key: value for key, value in content.items() if key not in _NOT_WRITTEN}
    family = content["model_type"]
    model = Model(
        content["architectures"][0],
        tuple(tensor.parameter for tensor in tensors),
        depth=depth,
        width=width if type(width) is int and width > 0 else None,
        counters=counters,
        recipe=_FAMILY_RECIPES.get(family, _RECORDED),
        dtype=dtype if dtype in BY_NAME else "float32",
        config=written,
        source="a config.json",
    )
    twin = _built_in(model)
    if twin is None:
        return model
    return Model(
        twin.name,
        twin.parameters,
        depth=twin.depth,
        width=twin.width,
        counters=twin.counters,
        recipe=twin.recipe,
        dtype=model.dtype,
        config=written,
        source=twin.source,
    )


def _built_in(model: Model) -> Model | None:
    """Return the built-in model that has the same tensors and the same configured spread, or None."""
    # Whether a tensor is a buffer is the word of who published it: it changes no bit.
    tensors = {each.name: replace(each, buffer=False) if each.buffer else each for each in model.parameters}
    for name in models.names():
        twin = models.find(name)
        is_family = twin.config["model_type"] == model.config["model_type"]
        spreads = {each.config.get("initializer_range", 0.02) for each in (model, twin)}
        if not is_family or len(spreads) > 1 or sorted(model.counters) != sorted(twin.counters):
            continue
        if len(tensors) == len(twin.parameters) and all(
            tensors.get(each.name) == (replace(each, buffer=False) if each.buffer else each)
            for each in twin.parameters
        ):
            return twin
    return None
