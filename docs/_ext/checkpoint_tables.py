"""Knows the directives that show how fast checkpoints are written, and what that makes on many hosts.

It must not know a measured figure; result files of ``bench.checkpoint`` and ``bench.large_checkpoint``
have them.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from docutils import nodes
from node_table import node_table
from result_file import ResultFile, member
from sphinx.util.docutils import SphinxDirective

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.util.typing import ExtensionMetadata

__all__ = ["setup"]

# deepseek-v3 in bfloat16 and --max-shard-size 5GB, as `fanfill init --dry-run` says.
_MODEL_BYTES, _FILES, _FILE_BYTES = 1.342e12, 270, 5e9
_HOSTS = (1, 8, 64)
_DISKS = ("ext4", "xfs")


def _figure(result: Any, key: str, name: str) -> float:
    return float(member(result, f"{key}.median", name))


class _Speeds(SphinxDirective):
    """``{checkpoint-speeds} NAME``: each place of the result file, in GB/s."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        file = ResultFile.read(self.arguments[0], self.env)
        head = (
            "file system",
            "dtype",
            "checkpoint",
            "zeros, same way",
            "zeros, in a loop",
            "of zeros",
            "one core",
        )
        return [
            node_table(head, [self._row(result, file.name) for result in file["results"]]),
            nodes.paragraph(
                "",
                f"Medians, in GB/s; commit {file.commit}, {file['cpus']} cores, load average "
                f"{file['load'][0]:.1f} at the end. One core fills chunks of the writer's size.",
            ),
        ]

    def _row(self, result: Any, name: str) -> tuple[str, ...]:
        speed = "gigabytes_per_second"
        keys = (f"{speed}.fanfill", f"{speed}.zeros", f"{speed}.plain", "ratio_to_zeros", "one_core")
        return (
            member(result, "file_system", name),
            member(result, "dtype", name),
            *(f"{_figure(result, key, name):.2f}" for key in keys),
        )


class _Hosts(SphinxDirective):
    """``{checkpoint-hosts} NAME``: how long 671 billion parameters take at the measured speeds."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        file = ResultFile.read(self.arguments[0], self.env)
        disk = next(each for each in file["results"] if member(each, "file_system", file.name) in _DISKS)
        written = _figure(disk, "gigabytes_per_second.zeros", file.name) * 1e9
        filled = _figure(disk, "one_core", file.name) * 1e9
        head = ("hosts", "files each, at most", "bytes each", "the disk's time", "one core's time")
        rows = []
        for hosts in _HOSTS:
            files = math.ceil(_FILES / hosts)
            size = min(files * _FILE_BYTES, _MODEL_BYTES)
            rows.append(
                (
                    str(hosts),
                    str(files),
                    f"{size / 1e9:.0f} GB",
                    f"{size / written:.0f} s",
                    f"{size / filled:.0f} s",
                )
            )
        return [node_table(head, rows)]


class _Whole(SphinxDirective):
    """``{checkpoint-whole} NAME``: what ``fanfill init`` and ``fanfill verify`` of a large model took."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        file = ResultFile.read(self.arguments[0], self.env)
        rows = [
            (
                f"fanfill {step}",
                f"{file[f'{step}.seconds']:.0f} s",
                f"{file[f'{step}.cpu_seconds']:.0f} s",
                f"{file[f'{step}.peak_bytes'] / 2**20:.0f} MiB",
            )
            for step in ("init", "verify")
        ]
        return [
            node_table(("", "time", "CPU time", "memory, at most"), rows),
            nodes.paragraph(
                "",
                f"{file['model']} in {file['dtype']}, {file['bytes'] / 1e9:.1f} GB on {file['file_system']}; "
                f"commit {file.commit}, {file['cpus']} cores, load average {file['load'][0]:.1f} at the end.",
            ),
        ]


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register the directives."""
    app.add_directive("checkpoint-speeds", _Speeds)
    app.add_directive("checkpoint-hosts", _Hosts)
    app.add_directive("checkpoint-whole", _Whole)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
