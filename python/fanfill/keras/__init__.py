"""Keras 3 initializers by Keras' own names, with their parameters and laws and with fanfill's values.

It knows which names are public and that Keras is needed for them; it must not know how a value is drawn.

Each class is a subclass of Keras' own of that name, is registered as ``"fanfill>HeNormal"`` and the like, and
goes wherever an initializer goes: as an object, a class, or, once this module is imported, that string. A
model that was saved with them has them again where this module is imported before it is loaded; elsewhere
Keras puts its own initializer of the same name and parameters in their place, with the weights as they were
saved.

An integer seed n, and one that Keras drew because none was given, is seed n and stream 0 of
``fanfill.fill_``, on the torch, JAX and NumPy backends: the same object called twice gives the same values. A
``keras.random.SeedGenerator`` gives its two numbers, the seed as the seed and the count as the stream, and
counts on with each call.
"""

from __future__ import annotations

try:
    import keras as _keras  # noqa: F401
except ImportError as error:
    raise ImportError(f'fanfill.keras needs Keras 3: pip install "fanfill[keras]" ({error})') from error

from .initialize import initialize_
from .law_initializer import RandomNormal, RandomUniform, TruncatedNormal
from .orthogonal_initializer import Orthogonal
from .scaling_initializer import (
    GlorotNormal,
    GlorotUniform,
    HeNormal,
    HeUniform,
    LecunNormal,
    LecunUniform,
    VarianceScaling,
)

__all__ = [
    "GlorotNormal",
    "GlorotUniform",
    "HeNormal",
    "HeUniform",
    "LecunNormal",
    "LecunUniform",
    "Orthogonal",
    "RandomNormal",
    "RandomUniform",
    "TruncatedNormal",
    "VarianceScaling",
    "initialize_",
]

# Saved models and pickles name the module of a class, which is to be the public one.
for _public in [globals()[_name] for _name in __all__]:
    if isinstance(_public, type):
        _public.__module__ = __name__
