"""Knows where the system keeps the limits of a process's control groups (cgroups), version 1 or 2.

It must not know which limits are asked for, nor what they are for.
"""

from __future__ import annotations

from collections.abc import Iterator

__all__ = ["cgroup_folders", "lines_of"]


def cgroup_folders(controller: str, process: str = "/proc/self") -> Iterator[tuple[str, bool]]:
    """Yield each folder that may hold a controller's limits for a process, and whether it is of version 2.

    Those of the process's own group and of all above it, of which every one counts.
    """
    groups = lines_of(f"{process}/cgroup")
    mounts = [line.split(" ") for line in lines_of(f"{process}/mountinfo")]
    for group in groups:
        _, controllers, path = group.split(":", 2)
        for fields in mounts:
            separator = fields.index("-")
            kind, options = fields[separator + 1], fields[separator + 3].split(",")
            is_v2 = controllers == "" and kind == "cgroup2"
            is_v1 = controller in controllers.split(",") and kind == "cgroup" and controller in options
            if is_v1 or is_v2:
                for folder in _folders(path, fields[3], fields[4]):
                    yield folder, is_v2


def _folders(group: str, root: str, mount: str) -> list[str]:
    """Return the folders of a cgroup and its ancestors under a mount that shows the hierarchy from `root`."""
    folders = [mount]
    inside = f"{group}/".removeprefix(f"{root.rstrip('/')}/")
    if inside.startswith("/"):  # a container sees its own cgroup as the mount itself
        return folders
    for part in filter(None, inside.split("/")):
        folders.append(f"{folders[-1]}/{part}")
    return folders


def lines_of(path: str) -> list[str]:
    """Return the lines of a file of the system, or none where it cannot be read."""
    try:
        with open(path) as file:
            return file.read().splitlines()
    except OSError:
        return []
