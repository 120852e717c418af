"""The functions of ``torch.nn.init``, drawn by fanfill: the same names, arguments, laws, warnings and errors.

It knows what torch means by each of them, and must not know words, memory or modules.

Where the values of a call come from:

======================= ==============================================================================
``seed=`` and ``key=``  as for `fanfill.fill_`; give each tensor its own key, such as its name
``generator=``          the next 64 bits of that generator are the seed, the key is 0
none of them            the same with torch's default generator, which ``torch.manual_seed`` governs; in
                        a block under `fanfill.torch.accelerate` the block's next stream
======================= ==============================================================================

Given seed and key, all but `orthogonal_` and `sparse_` are bound by the value contract: the same bits on
every machine, for any number of threads and any strides, and of a DTensor on any number of processes. Those
two stand outside of it: what LAPACK makes of one normal matrix differs between machines in the last bits, and
which of equal keys torch selects is not said anywhere. `calculate_gain`, `constant_`, `ones_`, `zeros_`,
`eye_` and `dirac_` draw nothing and are torch's own.

What fanfill fills and torch does not: float8 dtypes, and in `orthogonal_` bfloat16 and float16. What torch
fills and fanfill refuses: complex tensors, negated views of their parts, and compressed sparse tensors.
"""

from __future__ import annotations

from torch.nn.init import calculate_gain, constant_, dirac_, eye_, ones_, zeros_

from .kaiming import kaiming_normal_, kaiming_uniform_
from .orthogonal import orthogonal_
from .plain import normal_, trunc_normal_, uniform_
from .sparse import sparse_
from .xavier import xavier_normal_, xavier_uniform_

__all__ = [
    "calculate_gain",
    "constant_",
    "dirac_",
    "eye_",
    "kaiming_normal_",
    "kaiming_uniform_",
    "normal_",
    "ones_",
    "orthogonal_",
    "sparse_",
    "trunc_normal_",
    "uniform_",
    "xavier_normal_",
    "xavier_uniform_",
    "zeros_",
]
