"""What a result file says of the installed package, where that is what a battery tries.

It must not know what was tried.
"""

from __future__ import annotations

import fanfill as ff

from .result_file import Record


def installed() -> Record:
    """Return the contract's version and the instruction set that fills take."""
    config = ff.show_config("dicts")
    assert config is not None
    return {
        "contract": config["contract_version"],
        "isas": [config["isa"]],
        "compiler": "the installed package's",
    }
