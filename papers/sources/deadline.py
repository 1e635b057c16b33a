"""Deadlines for calls that no timeout of their own bounds."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TypeVar

# The minimum for a call, even if waiting for its slot has used up the time.
MIN_CALL_SECONDS = 0.1

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Deadline:
    """A moment on the monotonic clock."""

    monotonic_time: float

    @classmethod
    def after(cls, seconds: float) -> Deadline:
        return cls(time.monotonic() + seconds)

    def remaining_seconds(self) -> float:
        return max(self.monotonic_time - time.monotonic(), 0.0)

    def check(self) -> None:
        """Raise TimeoutError when the deadline has passed."""
        if time.monotonic() > self.monotonic_time:
            raise TimeoutError

    def run(self, function: Callable[[], Result]) -> Result:
        """Return what the function returns, or raise what it raises; raise TimeoutError when late.

        The function runs in a thread of its own. A thread cannot be interrupted, so a late one is
        abandoned and goes on for a while. Therefore the function must share nothing with the caller
        that is used again, and should call `check` wherever it can.
        """
        future: Future[Result] = Future()

        def work() -> None:
            try:
                future.set_result(function())
            except BaseException as error:
                future.set_exception(error)

        threading.Thread(target=work, daemon=True, name="source").start()
        return future.result(timeout=max(self.remaining_seconds(), MIN_CALL_SECONDS))
