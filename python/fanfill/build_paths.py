"""Knows where the installed package keeps what other packages build against: headers, library, CMake files.

It must not know what they hold.
"""

from __future__ import annotations

from pathlib import Path

from . import _core

__all__ = ["get_cmake_dir", "get_include", "get_library"]


def get_include() -> str:
    """Return the folder of the C and C++ headers, for a compiler's ``-I``.

    Returns
    -------
    str
        It holds ``fanfill/fanfill.h`` and ``fanfill/fanfill.hpp``.

    Raises
    ------
    FileNotFoundError
        If this installation lacks them.

    Examples
    --------
    >>> import os, fanfill as ff
    >>> os.path.exists(os.path.join(ff.get_include(), "fanfill", "fanfill.h"))
    True
    """
    return _existing("include")


def get_cmake_dir() -> str:
    """Return the folder of the CMake package, for ``-Dfanfill_DIR=`` before ``find_package(fanfill)``.

    The target is ``fanfill::fanfill``, a static library; ``python -m fanfill --cmake-dir`` prints the folder.

    Returns
    -------
    str

    Raises
    ------
    FileNotFoundError
        If this installation lacks it.

    Examples
    --------
    >>> import os, fanfill as ff
    >>> os.path.exists(os.path.join(ff.get_cmake_dir(), "fanfill-config.cmake"))
    True
    """
    return _existing("lib/cmake/fanfill")


def get_library() -> str:
    """Return the path of the shared library that exports the C interface, for ctypes and other loaders.

    It is the package's own extension module, so that no second copy of the core is loaded.

    Returns
    -------
    str

    Examples
    --------
    >>> import ctypes, fanfill as ff
    >>> ctypes.CDLL(ff.get_library()).fanfill_contract_version() == ff.CONTRACT_VERSION
    True
    """
    return _core.__file__


def _existing(name: str) -> str:
    # Beside the extension module: in an editable installation the Python files are elsewhere.
    path = Path(_core.__file__).parent / name
    if not path.is_dir():
        raise FileNotFoundError(
            f"{path} is missing; pip puts it there, and a copy of the Python files alone lacks it"
        )
    return str(path)
