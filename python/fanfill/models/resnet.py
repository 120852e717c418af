"""ResNet-50: tensor names, shapes and configuration of the published checkpoint.

It must not know how the weights are drawn.

The names are those of huggingface.co/microsoft/resnet-50. A batch norm's running mean and variance are in
the file and counted apart from the parameters; so is its ``num_batches_tracked``, an int64 counter.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from ..model import Model, Parameter

_EXPANSION = 4


def _convolution(prefix: str, fan_in: int, fan_out: int, kernel: int) -> list[Parameter]:
    """Return a convolution without bias and the batch norm after it."""
    norm = f"{prefix}.normalization"
    return [
        Parameter(f"{prefix}.convolution.weight", (fan_out, fan_in, kernel, kernel)),
        Parameter(f"{norm}.weight", (fan_out,)),
        Parameter(f"{norm}.bias", (fan_out,)),
        Parameter(f"{norm}.running_mean", (fan_out,), buffer=True),
        Parameter(f"{norm}.running_var", (fan_out,), buffer=True),
    ]


def _block(prefix: str, fan_in: int, fan_out: int) -> list[Parameter]:
    """Return a bottleneck (1x1 down, 3x3, 1x1 up), with a projection where the width changes."""
    reduced = fan_out // _EXPANSION
    return [
        *(_convolution(f"{prefix}.shortcut", fan_in, fan_out, 1) if fan_in != fan_out else ()),
        *_convolution(f"{prefix}.layer.0", fan_in, reduced, 1),
        *_convolution(f"{prefix}.layer.1", reduced, reduced, 3),
        *_convolution(f"{prefix}.layer.2", reduced, fan_out, 1),
    ]


def _resnet(
    name: str, *, stem: int, widths: tuple[int, ...], depths: tuple[int, ...], classes: int = 1000
) -> Model:
    parameters = _convolution("resnet.embedder.embedder", 3, stem, 7)
    fan_in = stem
    for stage, (width, blocks) in enumerate(zip(widths, depths, strict=True)):
        for block in range(blocks):
            parameters += _block(f"resnet.encoder.stages.{stage}.layers.{block}", fan_in, width)
            fan_in = width
    return Model(
        name,
        (
            *parameters,
            Parameter("classifier.1.weight", (classes, fan_in)),
            Parameter("classifier.1.bias", (classes,)),
        ),
        depth=sum(depths),
        counters=tuple(
            p.name.replace(".running_mean", ".num_batches_tracked")
            for p in parameters
            if p.name.endswith(".running_mean")
        ),
        recipe="resnet",
        dtype="float32",
        config={
            "architectures": ["ResNetForImageClassification"],
            "model_type": "resnet",
            "depths": list(depths),
            "downsample_in_first_stage": False,
            "embedding_size": stem,
            "hidden_act": "relu",
            "hidden_sizes": list(widths),
            "layer_type": "bottleneck",
            "num_labels": classes,
            "num_channels": 3,
        },
        source="K. He, X. Zhang, S. Ren, J. Sun (2015), Deep Residual Learning for Image Recognition, "
        "arXiv:1512.03385; checkpoint and config.json of huggingface.co/microsoft/resnet-50, the "
        "names of its classes left out",
    )


MODELS: dict[str, Callable[[], Model]] = {
    "resnet-50": partial(_resnet, "resnet-50", stem=64, widths=(256, 512, 1024, 2048), depths=(3, 4, 6, 3)),
}
