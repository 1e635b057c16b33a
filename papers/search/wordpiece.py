"""BERT's uncased WordPiece tokenizer (pure).

The usual library depends on the client of a model hub; this is the part that one model needs.
wordpieces.txt is BERT's vocabulary, one piece per line (Google, Apache License 2.0).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from functools import cache, lru_cache
from pathlib import Path

VOCABULARY_FILE = Path(__file__).with_name("wordpieces.txt")
CLS_TOKEN, SEP_TOKEN, UNK_TOKEN = "[CLS]", "[SEP]", "[UNK]"
# A longer word becomes UNK_TOKEN.
MAX_WORD_CHARS = 100
# Chinese, Japanese and Korean characters; each is a word of its own.
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
    """Return the ids of a text's pieces between [CLS] and [SEP], cut to `max_tokens` in all."""
    ids = [load_vocabulary()[CLS_TOKEN]]
    for word in basic_tokenize(text):
        ids += wordpiece_ids(word)
        if len(ids) >= max_tokens:
            break
    return [*ids[: max_tokens - 1], load_vocabulary()[SEP_TOKEN]]


@cache
def load_vocabulary() -> dict[str, int]:
    """Return the id of each piece: its line number, from zero."""
    lines = VOCABULARY_FILE.read_text(encoding="utf-8").split("\n")
    return {piece: number for number, piece in enumerate(lines) if piece}


def basic_tokenize(text: str) -> Iterator[str]:
    """Yield words and single punctuation marks, in lower case and without accents."""
    cleaned = "".join(map(clean_char, text))
    unaccented = "".join(map(strip_accent, unicodedata.normalize("NFD", cleaned)))
    return iter("".join(map(split_punctuation, unaccented.lower())).split())


@lru_cache(maxsize=10_000)
def clean_char(char: str) -> str:
    """Return a space for white space, nothing for control characters, ideographs in spaces."""
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
    """Return punctuation and ASCII symbols in spaces, so that each is a word of its own."""
    is_punctuation = unicodedata.category(char).startswith("P") or char in "$+<=>^`|~"
    return f" {char} " if is_punctuation else char


@lru_cache(maxsize=50_000)
def wordpiece_ids(word: str) -> tuple[int, ...]:
    """Return the ids of a word's pieces, by greedy longest match; [UNK] if a part has no piece."""
    vocabulary = load_vocabulary()
    unknown = (vocabulary[UNK_TOKEN],)
    if len(word) > MAX_WORD_CHARS:
        return unknown
    ids: list[int] = []
    start = 0
    while start < len(word):
        prefix = "##" if start else ""
        ends = range(len(word), start, -1)
        end = next((end for end in ends if f"{prefix}{word[start:end]}" in vocabulary), None)
        if end is None:
            return unknown
        ids.append(vocabulary[f"{prefix}{word[start:end]}"])
        start = end
    return tuple(ids)
