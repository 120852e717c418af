"""The number of threads: who may say it, in which order, and what the machine allows."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import fanfill as ff
from fanfill import _core, threads


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("FANFILL_NUM_THREADS", "OMP_NUM_THREADS", "LOCAL_WORLD_SIZE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(threads, "_available_cpus", lambda: 12)
    ff.set_num_threads(None)
    yield
    monkeypatch.undo()
    ff.set_num_threads(None)


def counted(monkeypatch: pytest.MonkeyPatch, **environment: str) -> int:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    ff.set_num_threads(None)
    return ff.get_num_threads()


def asked_of_the_core(monkeypatch: pytest.MonkeyPatch, argument: int | None) -> int:
    asked: list[int] = []
    monkeypatch.setattr(_core, "fill_many", lambda jobs, seed, count: asked.append(count) or _core.OK)
    ff.normal_(np.zeros(8)[::2], seed=0, key=0, threads=argument)
    return asked[0]


def test_the_argument_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FANFILL_NUM_THREADS", "5")
    ff.set_num_threads(7)
    assert asked_of_the_core(monkeypatch, 3) == 3


def test_set_num_threads_comes_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FANFILL_NUM_THREADS", "5")
    ff.set_num_threads(7)
    assert asked_of_the_core(monkeypatch, None) == ff.get_num_threads() == 7
    assert threads.thread_source() == "set_num_threads"


def test_our_variable_comes_before_openmps(monkeypatch: pytest.MonkeyPatch) -> None:
    assert counted(monkeypatch, FANFILL_NUM_THREADS="5", OMP_NUM_THREADS="3") == 5
    assert threads.thread_source() == "FANFILL_NUM_THREADS"


def test_openmps_variable_comes_before_the_cpus(monkeypatch: pytest.MonkeyPatch) -> None:
    assert counted(monkeypatch, OMP_NUM_THREADS="3") == 3
    assert threads.thread_source() == "OMP_NUM_THREADS"


def test_without_settings_it_is_the_cpus(monkeypatch: pytest.MonkeyPatch) -> None:
    assert counted(monkeypatch) == 12
    assert threads.thread_source() == "affinity and cgroup quota"


def test_torchruns_default_of_one_shares_the_cpus_out(monkeypatch: pytest.MonkeyPatch) -> None:
    assert counted(monkeypatch, OMP_NUM_THREADS="1", LOCAL_WORLD_SIZE="4") == 3
    assert counted(monkeypatch, OMP_NUM_THREADS="1", LOCAL_WORLD_SIZE="24") == 1


def test_an_openmp_wish_under_torchrun_is_a_wish(monkeypatch: pytest.MonkeyPatch) -> None:
    assert counted(monkeypatch, OMP_NUM_THREADS="2", LOCAL_WORLD_SIZE="4") == 2


def test_one_openmp_thread_without_torchrun_is_a_wish(monkeypatch: pytest.MonkeyPatch) -> None:
    assert counted(monkeypatch, OMP_NUM_THREADS="1") == 1
    assert counted(monkeypatch, OMP_NUM_THREADS="1", LOCAL_WORLD_SIZE="1") == 1


def test_our_variable_wins_under_torchrun(monkeypatch: pytest.MonkeyPatch) -> None:
    environment = {"FANFILL_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "LOCAL_WORLD_SIZE": "4"}
    assert counted(monkeypatch, **environment) == 1


def test_openmps_list_counts_by_its_first_level(monkeypatch: pytest.MonkeyPatch) -> None:
    assert counted(monkeypatch, OMP_NUM_THREADS="4,2") == 4


@pytest.mark.parametrize("value", ["many", "0", "-1", ""])
def test_a_malformed_openmp_variable_is_passed_over(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert counted(monkeypatch, OMP_NUM_THREADS=value) == 12


@pytest.mark.parametrize("value", ["many", "0", "-1", "1.5", "²"])
def test_a_malformed_variable_of_ours_is_refused(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="FANFILL_NUM_THREADS must be a positive integer"):
        counted(monkeypatch, FANFILL_NUM_THREADS=value)


def test_the_environment_is_read_once_until_reset(monkeypatch: pytest.MonkeyPatch) -> None:
    assert counted(monkeypatch, FANFILL_NUM_THREADS="5") == 5
    monkeypatch.setenv("FANFILL_NUM_THREADS", "6")
    assert ff.get_num_threads() == 5
    ff.set_num_threads(None)
    assert ff.get_num_threads() == 6


def test_a_forked_process_reads_the_environment_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    assert counted(monkeypatch, FANFILL_NUM_THREADS="5") == 5
    monkeypatch.setenv("FANFILL_NUM_THREADS", "6")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # NumPy's BLAS has threads; ours are gone
        child = os.fork()
    if child == 0:
        os._exit(ff.get_num_threads())
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 6


@pytest.mark.parametrize("count", [0, -1])
def test_less_than_one_thread_is_refused(count: int) -> None:
    with pytest.raises(ValueError, match="threads must be at least 1"):
        ff.set_num_threads(count)
    with pytest.raises(ValueError, match="threads must be at least 1"):
        ff.normal_(np.zeros(4), seed=0, key=0, threads=count)


@pytest.mark.parametrize("count", [True, 2.0, "2"])
def test_a_count_that_is_no_integer_is_refused(count: object) -> None:
    with pytest.raises(TypeError, match="threads must be an integer"):
        ff.set_num_threads(count)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="threads must be an integer"):
        ff.normal_(np.zeros(4), seed=0, key=0, threads=count)  # type: ignore[arg-type]


def test_a_refused_count_changes_nothing() -> None:
    ff.set_num_threads(7)
    with pytest.raises(ValueError, match="threads"):
        ff.set_num_threads(0)
    assert ff.get_num_threads() == 7


def test_a_huge_count_is_what_a_machine_could_run(monkeypatch: pytest.MonkeyPatch) -> None:
    assert asked_of_the_core(monkeypatch, 2**70) == 2**16


class TestMachine:
    """The CPUs that affinity and cgroups grant, from files as Linux writes them."""

    @pytest.fixture(autouse=True)
    def no_settings(self) -> None:
        """These ask the machine's own function."""

    def process(self, folder: Path, cgroup: str, mounts: dict[str, str]) -> str:
        lines = [
            f"{30 + number} 23 0:{28 + number} {root} {folder}/{mount} rw,relatime shared:9 - {kind}"
            for number, (mount, (root, kind)) in enumerate(
                (mount, value.split(" ", 1)) for mount, value in mounts.items()
            )
        ]
        (folder / "proc").mkdir()
        (folder / "proc" / "cgroup").write_text(cgroup)
        (folder / "proc" / "mountinfo").write_text(
            "\n".join(["1 0 8:1 / / rw - ext4 /dev/sda1 rw", *lines]) + "\n"
        )
        return str(folder / "proc")

    def limit(self, folder: Path, **files: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (folder / name.replace("__", ".")).write_text(text + "\n")

    def test_version_2(self, tmp_path: Path) -> None:
        process = self.process(tmp_path, "0::/a/b\n", {"cg": "/ cgroup2 cgroup2 rw"})
        self.limit(tmp_path / "cg/a/b", cpu__max="250000 100000")
        assert threads._cgroup_quota(process) == 2.5

    def test_version_2_takes_the_smallest_up_the_path(self, tmp_path: Path) -> None:
        process = self.process(tmp_path, "0::/a/b\n", {"cg": "/ cgroup2 cgroup2 rw"})
        self.limit(tmp_path / "cg/a/b", cpu__max="max 100000")
        self.limit(tmp_path / "cg/a", cpu__max="150000 100000")
        assert threads._cgroup_quota(process) == 1.5

    def test_version_2_without_a_limit(self, tmp_path: Path) -> None:
        process = self.process(tmp_path, "0::/a\n", {"cg": "/ cgroup2 cgroup2 rw"})
        self.limit(tmp_path / "cg/a", cpu__max="max 100000")
        assert threads._cgroup_quota(process) is None

    def test_version_1(self, tmp_path: Path) -> None:
        cgroup = "4:memory:/m\n3:cpu,cpuacct:/a\n0::/\n"
        mounts = {"mem": "/ cgroup cgroup rw,memory", "cpu": "/ cgroup cgroup rw,cpu,cpuacct"}
        process = self.process(tmp_path, cgroup, mounts)
        self.limit(tmp_path / "cpu/a", cpu__cfs_quota_us="400000", cpu__cfs_period_us="100000")
        assert threads._cgroup_quota(process) == 4.0

    def test_version_1_without_a_limit(self, tmp_path: Path) -> None:
        process = self.process(tmp_path, "3:cpu:/a\n", {"cpu": "/ cgroup cgroup rw,cpu"})
        self.limit(tmp_path / "cpu/a", cpu__cfs_quota_us="-1", cpu__cfs_period_us="100000")
        assert threads._cgroup_quota(process) is None

    def test_a_mount_that_begins_at_the_containers_own_cgroup(self, tmp_path: Path) -> None:
        process = self.process(tmp_path, "3:cpu:/docker/c/sub\n", {"cpu": "/docker/c cgroup cgroup rw,cpu"})
        self.limit(tmp_path / "cpu", cpu__cfs_quota_us="300000", cpu__cfs_period_us="100000")
        self.limit(tmp_path / "cpu/sub", cpu__cfs_quota_us="200000", cpu__cfs_period_us="100000")
        assert threads._cgroup_quota(process) == 2.0

    def test_a_mount_outside_the_containers_cgroup(self, tmp_path: Path) -> None:
        process = self.process(tmp_path, "3:cpu:/\n", {"cpu": "/docker/c cgroup cgroup rw,cpu"})
        self.limit(tmp_path / "cpu", cpu__cfs_quota_us="300000", cpu__cfs_period_us="100000")
        assert threads._cgroup_quota(process) == 3.0

    def test_a_machine_without_cgroups(self, tmp_path: Path) -> None:
        assert threads._cgroup_quota(str(tmp_path)) is None

    def test_the_quota_is_rounded_up_and_caps_the_affinity(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)))
        for quota, expected in ((2.5, 3), (0.5, 1), (100.0, 8), (None, 8)):
            monkeypatch.setattr(threads, "_cgroup_quota", lambda _, quota=quota: quota)
            assert threads._available_cpus() == expected

    def test_the_affinity_of_this_process_counts(self) -> None:
        assert 1 <= threads._available_cpus() <= len(os.sched_getaffinity(0))
