"""A deadline bounds a call that has no timeout, and leaves its thread behind."""

from __future__ import annotations

import threading

import pytest

from papers.sources.deadline import Deadline


def test_the_result_or_the_error_of_the_function_is_passed_on():
    assert Deadline.after(10).run(lambda: 7) == 7
    with pytest.raises(ZeroDivisionError):
        Deadline.after(10).run(lambda: 1 // 0)


def test_a_late_function_is_abandoned_and_not_awaited():
    release = threading.Event()
    finished = threading.Event()

    def wait() -> None:
        release.wait(10)
        finished.set()

    with pytest.raises(TimeoutError):
        Deadline.after(0).run(wait)

    assert not finished.is_set()
    release.set()
    assert finished.wait(10)


def test_a_passed_deadline_has_no_time_left():
    assert Deadline.after(-1).remaining_seconds() == 0
    assert 0 < Deadline.after(10).remaining_seconds() <= 10


def test_checking_raises_once_the_deadline_has_passed():
    Deadline.after(10).check()
    with pytest.raises(TimeoutError):
        Deadline.after(-1).check()
