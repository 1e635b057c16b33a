"""Words that no text has, by which an index finds at once what would take reading (pure).

A topic, a category, an author's name, two words that adjoin, some days: each is one word more in a
paper's row, so that to look for it is to look for a word.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from itertools import pairwise

# Days that stand together, from the year 1 on: each of these lies within one of the next.
SPANS = (7, 28, 112)
# Papers of so many days may have come since somebody looked which are the newest.
TO_COME = 3 * SPANS[1]


def author(word: str) -> str:
    return f"inauthor{word}"


def topic(name: Sequence[str]) -> str:
    return f"intopic{''.join(name)}"


def topics(names: Iterable[Sequence[str]]) -> Iterator[str]:
    """For each part of a name too: one looks for topic:language."""
    for name in names:
        for start in range(len(name)):
            for end in range(start + 1, len(name) + 1):
                yield topic(name[start:end])


def pairs(row: Sequence[str]) -> Iterator[str]:
    """With a sign that no word has: so none is taken for another."""
    return map("_".join, pairwise(row))


def days(day: date) -> Iterator[str]:
    for span in SPANS:
        yield in_days(span, day.toordinal() // span)


def in_days(span: int, number: int) -> str:
    return f"in{span}days{number}"


def within(start: int, end: int) -> Iterator[str]:
    """The fewest stretches for the days from one number to before another; both begin a week."""
    while start < end:
        span = max(each for each in SPANS if start % each == 0 and start + each <= end)
        yield in_days(span, start // span)
        start += span


def week(number: int) -> int:
    """The first day of the week of this one."""
    return number - number % SPANS[0]


def windows(newest: int, edges: Iterable[int]) -> list[range]:
    """Days to look through one window after the other, the newest first, until each edge or before.

    The older an edge, the longer the stretch it is moved to, so that few keys make up a window.
    """
    found: list[range] = []
    end = newest - newest % SPANS[1] + TO_COME
    for edge in edges:
        span = next((each for each in reversed(SPANS) if 3 * each < newest - edge), SPANS[0])
        start = edge - edge % span
        if start < end:
            found.append(range(start, end))
            end = start
    return found
