"""Knows the law of a fused weight: one law for each of the parts that lie side by side along one axis.

It must not know how the parts came by their laws, nor memory or regions.
"""

from __future__ import annotations

from dataclasses import dataclass

from .law import Law

__all__ = ["FusedLaw"]


@dataclass(frozen=True, slots=True)
class FusedLaw:
    """The laws of the parts of one tensor, such as query, key and value in one matrix.

    Attributes
    ----------
    laws : tuple of Law
        One for each part.
    axis : int
        Of the global tensor, the axis along which the parts lie.
    sizes : tuple of int
        The extent of each part; they add up to the extent of the axis.
    """

    laws: tuple[Law, ...]
    axis: int
    sizes: tuple[int, ...]
