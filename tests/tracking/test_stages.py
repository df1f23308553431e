"""Stages side by side: order, errors, an end in the middle, and no more in memory than there are places."""

import threading
import time

import pytest

from cowvision.tracking.stages import Ahead, Behind, StageClock


def test_all_come_in_order() -> None:
    with Ahead(iter(range(100)), 3) as ahead:
        assert list(ahead) == list(range(100))


def test_no_more_than_its_places_are_taken_ahead() -> None:
    taken = []

    def things():
        for number in range(50):
            taken.append(number)
            yield number

    with Ahead(things(), 3) as ahead:
        first = next(iter(ahead))
        time.sleep(0.3)
        assert first == 0
        assert len(taken) <= 1 + 3 + 1, "one was read, three wait, one stands before the door"


def test_an_error_comes_after_what_was_read_before_it() -> None:
    def things():
        yield 1
        raise LookupError("gone")

    seen = []
    with Ahead(things(), 3) as ahead, pytest.raises(LookupError, match="gone"):
        seen.extend(ahead)
    assert seen == [1]


def test_leaving_in_the_middle_ends_the_thread_and_closes_what_is_read() -> None:
    closed = threading.Event()

    def things():
        try:
            while True:
                yield 1
        finally:
            closed.set()

    before = threading.active_count()
    with Ahead(things(), 2) as ahead:
        next(iter(ahead))
    assert closed.is_set()
    assert threading.active_count() == before


def test_work_is_done_in_order_and_all_of_it_before_the_block_ends() -> None:
    done = []

    def work(thing: int) -> None:
        time.sleep(0.002)
        done.append(thing)

    with Behind(work, 2) as behind:
        for number in range(20):
            behind.put(number)
    assert done == list(range(20))


def test_an_error_of_the_work_is_raised_and_never_hangs() -> None:
    def work(thing: int) -> None:
        raise OSError(f"full at {thing}")

    given = 0
    with pytest.raises(OSError, match="full at 0"), Behind(work, 2) as behind:
        for given in range(100):
            behind.put(given)
            time.sleep(0.01)
    assert given < 10, "it is told at once, not when an hour is over"


def test_an_error_of_the_last_piece_of_work_is_raised_at_the_end() -> None:
    def work(thing: int) -> None:
        time.sleep(0.05)
        raise OSError("full")

    with pytest.raises(OSError, match="full"), Behind(work, 2) as behind:
        behind.put(1)


def test_when_the_block_fails_what_waits_is_dropped_and_its_own_error_is_told() -> None:
    done = []
    begun, go_on = threading.Event(), threading.Event()

    def work(thing: int) -> None:
        begun.set()
        go_on.wait(5)
        done.append(thing)

    def fail() -> None:
        with Behind(work, 8) as behind:
            for number in range(5):
                behind.put(number)
            begun.wait(5)
            threading.Timer(0.1, go_on.set).start()
            raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"):
        fail()
    assert done == [0]


def test_the_clock_adds_up_over_threads() -> None:
    clock = StageClock()

    def work() -> None:
        with clock.of("detect"):
            time.sleep(0.05)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 0.15 <= clock.seconds["detect"] < 5
