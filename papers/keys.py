"""Words that no text has, by which an index finds at once what would take reading (pure).

A topic, a category, an author's name, two words that adjoin, a week: each is one word more in a
paper's row, so that to look for it is to look for a word.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from itertools import pairwise
from zlib import crc32

# Pairs of words share so many keys: enough that hardly any paper has one by chance.
PAIRS = 2**20
WEEK = 7


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
    for first, second in pairwise(row):
        yield f"zz{crc32(f'{first} {second}'.encode()) % PAIRS:05x}"


def week(day: date) -> str:
    return in_week(number(day))


def in_week(number: int) -> str:
    return f"inweek{number}"


def number(day: date) -> int:
    """Weeks since the year 1."""
    return day.toordinal() // WEEK


def first_day(number: int) -> date:
    return date.fromordinal(max(number * WEEK, 1))


def windows(papers: Mapping[int, int], sizes: Sequence[tuple[int, int]]) -> list[range]:
    """The newest weeks, from how many papers each has: so many papers at least, or so many weeks.

    Each window ends where the one before began. None if one would hold them all.
    """
    if sum(papers.values()) <= sizes[0][0]:
        return []
    found: list[range] = []
    end, oldest = max(papers) + 1, min(papers)
    for enough, most in sizes:
        start, count = end, 0
        while start > oldest and count < enough and end - start < most:
            start -= 1
            count += papers.get(start, 0)
        if start < end:
            found.append(range(start, end))
        end = start
    return found
