"""A text as the numbers that the language model was trained on (pure): BERT's WordPiece, uncased.

The usual library brings a client of a model hub along; this is all of it that one model needs.
wordpieces.txt is BERT's vocabulary, a piece a line (Google, Apache License 2.0).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from functools import cache, lru_cache
from pathlib import Path

VOCABULARY_FILE = Path(__file__).with_name("wordpieces.txt")
CLS_TOKEN, SEP_TOKEN, UNK_TOKEN = "[CLS]", "[SEP]", "[UNK]"
# A longer word is unknown.
MAX_WORD_CHARS = 100
# Chinese, Japanese and Korean characters that are words of their own.
IDEOGRAPH_RANGES = (
    (0x4E00, 0x9FFF),
    (0x3400, 0x4DBF),
    (0x20000, 0x2A6DF),
    (0x2A700, 0x2B73F),
    (0x2B740, 0x2B81F),
    (0x2B820, 0x2CEAF),
    (0xF900, 0xFAFF),
    (0x2F800, 0x2FA1F),
)


def token_ids(text: str, *, max_tokens: int) -> list[int]:
    """The pieces of a text between begin and end, `most` at most; the rest is cut off."""
    found = [load_vocabulary()[CLS_TOKEN]]
    for word in basic_tokenize(text):
        found += wordpiece_ids(word)
        if len(found) >= max_tokens:
            break
    return [*found[: max_tokens - 1], load_vocabulary()[SEP_TOKEN]]


@cache
def load_vocabulary() -> dict[str, int]:
    lines = VOCABULARY_FILE.read_text(encoding="utf-8").split("\n")
    return {piece: number for number, piece in enumerate(lines) if piece}


def basic_tokenize(text: str) -> Iterator[str]:
    """Words and single signs, in lower case, without accents."""
    spaced = "".join(map(clean_char, text))
    bare = "".join(map(strip_accent, unicodedata.normalize("NFD", spaced)))
    return iter("".join(map(split_punctuation, bare.lower())).split())


@lru_cache(maxsize=10_000)
def clean_char(char: str) -> str:
    """A space for any white space, nothing for what cannot be seen."""
    if char in "\t\n\r" or unicodedata.category(char) == "Zs":
        return " "
    if char in "\x00\ufffd" or unicodedata.category(char) in {"Cc", "Cf", "Co"}:
        return ""
    return f" {char} " if is_ideograph(char) else char


def is_ideograph(char: str) -> bool:
    return any(first <= ord(char) <= last for first, last in IDEOGRAPH_RANGES)


@lru_cache(maxsize=10_000)
def strip_accent(char: str) -> str:
    return "" if unicodedata.category(char) == "Mn" else char


@lru_cache(maxsize=10_000)
def split_punctuation(char: str) -> str:
    """A sign stands alone: punctuation, and what of ASCII Unicode does not count as such."""
    is_sign = unicodedata.category(char).startswith("P") or char in "$+<=>^`|~"
    return f" {char} " if is_sign else char


@lru_cache(maxsize=50_000)
def wordpiece_ids(word: str) -> tuple[int, ...]:
    """Always the longest piece that the rest of the word begins with."""
    known = load_vocabulary()
    unknown = (known[UNK_TOKEN],)
    if len(word) > MAX_WORD_CHARS:
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
