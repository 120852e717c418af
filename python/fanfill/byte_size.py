"""A number of bytes as people write it: `5GB` is 5 * 10^9, `5GiB` is 5 * 2^30.

It must not know what is of that size.
"""

from __future__ import annotations

import re
from fractions import Fraction

from .number import as_int

__all__ = ["byte_size"]

_UNITS = {"": 0, "K": 1, "M": 2, "G": 3, "T": 4, "P": 5}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*(?:([KMGTP])(I?))?B?", re.ASCII)


def byte_size(size: int | str, name: str = "size") -> int:
    """Return a number of bytes.

    Parameters
    ----------
    size : int or str
        A number, or one with a unit as Hugging Face writes it: ``5GB`` (powers of 1000) or ``5GiB`` (of
        1024), in upper or lower case, a fraction such as ``1.5GB`` included.
    name : str, optional
        What to call it in an error.

    Raises
    ------
    TypeError, ValueError
        If it is neither, or less than one byte.

    Examples
    --------
    >>> from fanfill.byte_size import byte_size
    >>> byte_size("5GB"), byte_size("1.5 GiB"), byte_size(4096)
    (5000000000, 1610612736, 4096)
    """
    if isinstance(size, str):
        found = _SIZE.fullmatch(size.strip().upper())
        if found is None:
            raise ValueError(f"{name} must be a number of bytes such as 5GB or 512MiB, not {size!r}")
        number, unit, binary = found.groups()
        count = int(Fraction(number) * (1024 if binary else 1000) ** _UNITS[unit or ""])
    else:
        count = as_int(size, name)
    if count < 1:
        raise ValueError(f"{name} must be at least one byte, not {size!r}")
    return count
