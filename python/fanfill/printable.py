"""Text of unknown origin made fit for a terminal: names in files that others wrote, messages that quote them.

It must not know where the text comes from.
"""

from __future__ import annotations

__all__ = ["printable"]


def printable(line: str) -> str:
    r"""Return one line with every character that could steer a terminal, or can't be encoded, as its escape.

    Examples
    --------
    >>> from fanfill.printable import printable
    >>> print(printable("wörter \x1b[2J"))
    wörter \x1b[2J
    """
    if line.isprintable():
        return line
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in line)
