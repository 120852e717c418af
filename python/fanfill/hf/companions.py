"""The files beside a Hugging Face ``config.json`` that a loader wants too: the tokenizer's and generation's.

It must not know what is in them, nor take anything that is code or weights.
"""

from __future__ import annotations

import os
from pathlib import Path

from ..regular_file import link_target, read_regular

__all__ = ["companion_files"]

_NAMES = (
    "generation_config.json",
    "tokenizer.json",
    "tokenizer.model",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "vocab.txt",
    "merges.txt",
    "spiece.model",
    "sentencepiece.bpe.model",
    "tekken.json",
    "chat_template.jinja",
    "chat_template.json",
    "preprocessor_config.json",
    "processor_config.json",
    "video_preprocessor_config.json",
)
_MAX_BYTES = 256 * 2**20


def companion_files(config: str | os.PathLike[str]) -> dict[str, bytes]:
    """Return names and contents of the known files in the folder of a ``config.json``.

    Parameters
    ----------
    config : path-like
        The ``config.json``, or its folder.

    Raises
    ------
    OSError
        If one can't be read, or is a symbolic link other than those of Hugging Face's cache.
    ValueError
        If one has more than 256 MiB.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> from fanfill.hf.companions import companion_files
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     size = pathlib.Path(folder, "vocab.txt").write_text("a b")
    ...     size = pathlib.Path(folder, "model.py").write_text("import this")
    ...     companion_files(folder)
    {'vocab.txt': b'a b'}
    """
    path = Path(config)
    folder = path if path.is_dir() else path.parent
    return {
        name: read_regular(link_target(folder / name), _MAX_BYTES, follow=False)
        for name in _NAMES
        if os.path.lexists(folder / name)
    }
