"""Knows which part of a global tensor a piece of memory holds, as runs of indices per dimension.

It must not know addresses, dtypes, laws or fans.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, NoReturn, TypeAlias

from .number import as_int

__all__ = ["MAX_ELEMENTS", "Region", "as_shape"]

Runs: TypeAlias = tuple[tuple[int, int], ...]

MAX_ELEMENTS = 1 << 62  # the addressing limit of the value contract


def as_shape(shape: Any, name: str = "shape") -> tuple[int, ...]:
    """Return a shape as a tuple of ints; an int is a shape of one axis."""
    if type(shape) is tuple and len(shape) <= 2 and all(type(n) is int and 0 <= n < 1 << 31 for n in shape):
        return shape  # the usual matrix or vector
    if isinstance(shape, Iterable) and not isinstance(shape, str):
        checked = tuple(as_int(extent, f"{name}[{axis}]") for axis, extent in enumerate(shape))
    else:
        try:
            checked = (as_int(shape, name),)
        except TypeError:
            raise TypeError(f"{name} must be an int or a sequence of ints, not {shape!r}") from None
    if any(extent < 0 for extent in checked):
        raise ValueError(f"{name} must not have a negative extent: {checked}")
    if math.prod(extent for extent in checked if extent) > MAX_ELEMENTS:
        raise OverflowError(f"{name} has more than 2**62 elements: {checked}")
    return checked


class Region:
    """The part of a global tensor that some memory holds: per dimension, runs of indices.

    Slices, 2-D shards, strided shards and flat ranges are all regions. Values and fans come from the global
    shape, so the memory gets the same bits as these places of the whole tensor.

    Parameters
    ----------
    shape : sequence of int
        The global shape.
    runs : sequence of sequences of (int, int)
        For each dimension the runs (start, stop) that the memory holds, ascending and disjoint, in the order
        in which the memory holds them. No run at all means no index.

    Attributes
    ----------
    shape : tuple of int
        The global shape.
    runs : tuple of tuples of (int, int)
        The runs, empty ones left out and adjacent ones joined. Of a flat region, the one run of flat indices.
    local_shape : tuple of int
        The shape of the memory.
    size : int
        Elements in the memory.

    Raises
    ------
    TypeError
        If an index is no integer.
    ValueError
        If there is not one sequence of runs per dimension, or a run is reversed, outside its extent, out of
        order or overlapping.
    OverflowError
        If the global shape has more than 2**62 elements.

    See Also
    --------
    Region.box : One run per dimension, by offsets and sizes.
    Region.flat : A range of flat indices in 1-D memory.

    Examples
    --------
    Rows 0, 1, 4 and 5 of an (8, 3) matrix, as a strided shard holds them:

    >>> import fanfill as ff
    >>> rows = ff.Region((8, 3), [[(0, 2), (4, 6)], [(0, 3)]])
    >>> rows.local_shape
    (4, 3)
    """

    __slots__ = ("_core_runs", "_is_flat", "local_shape", "runs", "shape", "size")

    shape: tuple[int, ...]
    runs: tuple[Runs, ...]
    local_shape: tuple[int, ...]
    size: int
    _is_flat: bool
    # Per axis of the memory what the core asks for: the global extent, and the runs as (start, count).
    _core_runs: tuple[tuple[int, Runs], ...]

    def __init__(self, shape: Sequence[int], runs: Sequence[Sequence[tuple[int, int]]]) -> None:
        extents = as_shape(shape)
        given: object = runs
        if isinstance(given, str) or not isinstance(given, Iterable):
            raise TypeError(f"runs must have one sequence of (start, stop) for each dimension, not {given!r}")
        listed = tuple(given)
        if len(listed) != len(extents):
            raise ValueError(
                f"runs must have one sequence for each of the {len(extents)} dimensions, not {len(listed)}"
            )
        self._set(extents, extents, listed, is_flat=False)

    @classmethod
    def box(cls, shape: Sequence[int], offsets: Sequence[int], sizes: Sequence[int]) -> Region:
        """Return the block that begins at `offsets` and has the shape `sizes`.

        Parameters
        ----------
        shape, offsets, sizes : sequence of int
            One number per dimension; offset + size must stay within the extent.

        Examples
        --------
        >>> import fanfill as ff
        >>> ff.Region.box((8, 6), offsets=(4, 0), sizes=(4, 3))
        Region((8, 6), (((4, 8),), ((0, 3),)))
        """
        extents = as_shape(shape)
        rank = len(extents)
        starts, counts = _counts(offsets, "offsets", rank), _counts(sizes, "sizes", rank)
        for axis, (start, count, extent) in enumerate(zip(starts, counts, extents, strict=True)):
            if start + count > extent:
                raise ValueError(
                    f"offsets[{axis}] + sizes[{axis}] = {start + count} exceeds shape[{axis}] = {extent}"
                )
        return cls(extents, [[(start, start + count)] for start, count in zip(starts, counts, strict=True)])

    @classmethod
    def flat(cls, shape: Sequence[int], start: int, stop: int) -> Region:
        """Return the elements start .. stop of the row-major order of the whole tensor, held in 1-D memory.

        Parameters
        ----------
        shape : sequence of int
            The global shape; fans come from it.
        start, stop : int
            Flat indices, 0 <= start <= stop <= number of elements.

        Examples
        --------
        >>> import fanfill as ff
        >>> ff.Region.flat((8, 6), 10, 20).local_shape
        (10,)
        """
        extents = as_shape(shape)
        start, stop, size = as_int(start, "start"), as_int(stop, "stop"), math.prod(extents)
        if start < 0:
            raise ValueError(f"start must not be negative, not {start}")
        if start > stop:
            raise ValueError(f"start must not be above stop, not start={start}, stop={stop}")
        if stop > size:
            raise ValueError(f"stop must not exceed the {size} elements of shape {extents}, not {stop}")
        region = cls.__new__(cls)
        # In one dimension a flat range and a box are the same thing, and so compare equal.
        region._set(extents, (size,), [[(start, stop)]], is_flat=len(extents) != 1)
        return region

    def _set(
        self,
        shape: tuple[int, ...],
        axes: tuple[int, ...],
        runs: Sequence[Sequence[tuple[int, int]]],
        *,
        is_flat: bool,
    ) -> None:
        pairs = zip(axes, runs, strict=True)
        checked = tuple(_checked_runs(extent, axis, own) for axis, (extent, own) in enumerate(pairs))
        held = tuple(sum(stop - start for start, stop in own) for own in checked)
        counted = (tuple((start, stop - start) for start, stop in own) for own in checked)
        set_ = object.__setattr__
        set_(self, "shape", shape)
        set_(self, "runs", checked)
        set_(self, "local_shape", held)
        set_(self, "size", math.prod(held))
        set_(self, "_is_flat", is_flat)
        set_(self, "_core_runs", tuple(zip(axes, counted, strict=True)))

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"a Region is frozen; make a new one instead of setting {name}")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"a Region is frozen; {name} cannot be deleted")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Region):
            return NotImplemented
        return (self.shape, self.runs, self._is_flat) == (other.shape, other.runs, other._is_flat)

    def __hash__(self) -> int:
        return hash((self.shape, self.runs, self._is_flat))

    def _flat_range(self) -> tuple[int, int]:
        return self.runs[0][0] if self.runs[0] else (0, 0)

    def __repr__(self) -> str:
        if self._is_flat:
            start, stop = self._flat_range()
            return f"Region.flat({self.shape}, {start}, {stop})"
        return f"Region({self.shape}, {self.runs})"

    def __reduce__(self) -> tuple[Any, ...]:
        if self._is_flat:
            return (Region.flat, (self.shape, *self._flat_range()))
        return (Region, (self.shape, self.runs))


def _counts(given: Any, name: str, rank: int) -> tuple[int, ...]:
    """Return the offsets or sizes of a box as ints; an int is one for a shape of one axis."""
    numbers = given if isinstance(given, Iterable) else (given,)
    checked = tuple(as_int(number, f"{name}[{axis}]") for axis, number in enumerate(numbers))
    if len(checked) != rank:
        raise ValueError(f"{name} must have one number for each of the {rank} dimensions: {checked}")
    for axis, number in enumerate(checked):
        if number < 0:
            raise ValueError(f"{name}[{axis}] must not be negative, not {number}")
    return checked


def _checked_runs(extent: int, axis: int, runs: Sequence[tuple[int, int]]) -> Runs:
    """Return the runs of one dimension in canonical form: none empty, none adjacent to the next."""
    if not isinstance(runs, Iterable):
        raise TypeError(f"runs[{axis}] must be a sequence of pairs (start, stop), not {runs!r}")
    kept: list[tuple[int, int]] = []
    end = 0
    for run in runs:
        try:
            start, stop = run
        except (TypeError, ValueError):
            raise TypeError(f"runs[{axis}] must hold pairs (start, stop), not {run!r}") from None
        start, stop = as_int(start, f"start in runs[{axis}]"), as_int(stop, f"stop in runs[{axis}]")
        if not 0 <= start <= stop <= extent:
            raise ValueError(f"runs[{axis}]: ({start}, {stop}) is not within the extent {extent}")
        if start < end:
            raise ValueError(
                f"runs[{axis}] must ascend without overlap, but ({start}, {stop}) begins before {end}"
            )
        end = stop
        if start == stop:
            continue
        if kept and kept[-1][1] == start:
            kept[-1] = (kept[-1][0], stop)
        else:
            kept.append((start, stop))
    return tuple(kept)
