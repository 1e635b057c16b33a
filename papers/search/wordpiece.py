"""A text as the numbers that the language model was trained on (pure): BERT's WordPiece, uncased.

The usual library brings a client of a model hub along; this is all of it that one model needs.
wordpieces.txt is BERT's vocabulary, a piece a line (Google, Apache License 2.0).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from functools import cache, lru_cache
from pathlib import Path

VOCABULARY = Path(__file__).with_name("wordpieces.txt")
BEGIN, END, UNKNOWN = "[CLS]", "[SEP]", "[UNK]"
# A longer word is unknown.
LONGEST = 100
# Chinese, Japanese and Korean characters that are words of their own.
IDEOGRAPHS = (
    (0x4E00, 0x9FFF),
    (0x3400, 0x4DBF),
    (0x20000, 0x2A6DF),
    (0x2A700, 0x2B73F),
    (0x2B740, 0x2B81F),
    (0x2B820, 0x2CEAF),
    (0xF900, 0xFAFF),
    (0x2F800, 0x2FA1F),
)


def numbers(text: str, *, most: int) -> list[int]:
    """The pieces of a text between begin and end, `most` at most; the rest is cut off."""
    found = [vocabulary()[BEGIN]]
    for word in split(text):
        found += pieces(word)
        if len(found) >= most:
            break
    return [*found[: most - 1], vocabulary()[END]]


@cache
def vocabulary() -> dict[str, int]:
    lines = VOCABULARY.read_text(encoding="utf-8").split("\n")
    return {piece: number for number, piece in enumerate(lines) if piece}


def split(text: str) -> Iterator[str]:
    """Words and single signs, in lower case, without accents."""
    spaced = "".join(map(character, text))
    bare = "".join(map(unmarked, unicodedata.normalize("NFD", spaced)))
    return iter("".join(map(apart, bare.lower())).split())


@lru_cache(maxsize=10_000)
def character(each: str) -> str:
    """A space for any white space, nothing for what cannot be seen."""
    if each in "\t\n\r" or unicodedata.category(each) == "Zs":
        return " "
    if each in "\x00\ufffd" or unicodedata.category(each) in {"Cc", "Cf", "Co"}:
        return ""
    return f" {each} " if is_ideograph(each) else each


def is_ideograph(each: str) -> bool:
    return any(first <= ord(each) <= last for first, last in IDEOGRAPHS)


@lru_cache(maxsize=10_000)
def unmarked(each: str) -> str:
    return "" if unicodedata.category(each) == "Mn" else each


@lru_cache(maxsize=10_000)
def apart(each: str) -> str:
    """A sign stands alone: punctuation, and what of ASCII Unicode does not count as such."""
    is_sign = unicodedata.category(each).startswith("P") or each in "$+<=>^`|~"
    return f" {each} " if is_sign else each


@lru_cache(maxsize=50_000)
def pieces(word: str) -> tuple[int, ...]:
    """Always the longest piece that the rest of the word begins with."""
    known = vocabulary()
    unknown = (known[UNKNOWN],)
    if len(word) > LONGEST:
        return unknown
    found: list[int] = []
    start = 0
    while start < len(word):
        prefix = "##" if start else ""
        ends = range(len(word), start, -1)
        end = next((end for end in ends if f"{prefix}{word[start:end]}" in known), None)
        if end is None:
            return unknown
        found.append(known[f"{prefix}{word[start:end]}"])
        start = end
    return tuple(found)
