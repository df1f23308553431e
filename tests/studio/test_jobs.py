"""Rendering jobs: sharing and resuming change nothing, and no half-written file takes a finished name."""

from itertools import chain
from pathlib import Path

import pytest
from studio.jobs import Run, finished, work_through


def a_run(folder: Path, **changes) -> Run:
    return Run(folder, folder, **changes)


def test_shards_share_all_items_once(tmp_path):
    shares = [a_run(tmp_path, shard=part, shards=3).share(100, batch=6) for part in range(3)]
    assert sorted(chain.from_iterable(shares)) == list(range(100))


def test_an_item_draws_the_same_numbers_on_any_shard(tmp_path):
    first = a_run(tmp_path).rng("sprite", 5).random(4)
    second = a_run(tmp_path, shard=1, shards=2, count=7).rng("sprite", 5).random(4)
    assert (first == second).all()
    assert (first != a_run(tmp_path, seed=1).rng("sprite", 5).random(4)).any()


def test_finished_items_are_skipped(tmp_path):
    (tmp_path / "1").touch()
    made = []
    work_through(a_run(tmp_path), "job", [0, 1, 2], lambda item: tmp_path / str(item), made.append)
    assert made == [0, 2]


def test_an_interrupted_write_leaves_no_finished_file(tmp_path):
    with pytest.raises(RuntimeError), finished(tmp_path / "a.txt") as part:
        part.write_text("half")
        raise RuntimeError
    assert not (tmp_path / "a.txt").exists()
