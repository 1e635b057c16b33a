"""Tokenise and normalise text, the same for both databases (pure).

Indexed text and queries both go through here. So both engines find the same papers, and what is
highlighted in a result is what was found. Change a rule, and all papers have to be indexed again
(`manage.py index_papers`).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

WORD_PATTERN = re.compile("[^\\W_](?:[^\\W_]|[\u0300-\u036f])*")
# A longer word is cut, in texts and in queries alike.
MAX_TOKEN_CHARS = 60
# Letters that Unicode does not decompose, and what people type for them.
LETTER_FOLDING = str.maketrans(
    {"ł": "l", "ø": "o", "đ": "d", "ħ": "h", "ı": "i", "æ": "ae", "œ": "oe", "ð": "d", "þ": "th"}
)
STOP_WORDS = frozenset(
    "a an and are as at be been but by can for from has have"  # noqa: SIM905 - a list takes 48 lines
    " how in into is it its may not of on or our such that the their these they this those to via"
    " was we were what when where which while who will with".split()
)


def tokenize(text: str) -> list[str]:
    """Return the tokens of a text or query in order, without stop words."""
    return [token for _, _, token in token_spans(text)]


def token_spans(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield each token with the start and end of its word in the text."""
    for match in WORD_PATTERN.finditer(text):
        for token in normalise_token(match.group()):
            yield match.start(), match.end(), token


@lru_cache(maxsize=50_000)
def normalise_token(word: str) -> tuple[str, ...]:
    """Fold case, accents and plural: Erdős is erdo, networks is network.

    A stop word has no token, and a single character can have several: ½ is 1 and 2.
    """
    parts = (part[:MAX_TOKEN_CHARS] for part in WORD_PATTERN.findall(fold_accents_and_case(word)))
    return tuple(stem_plural(part) for part in parts if part not in STOP_WORDS)


def fold_accents_and_case(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text).casefold())
    without_accents = "".join(char for char in decomposed if not unicodedata.combining(char))
    return without_accents.translate(LETTER_FOLDING)


def stem_plural(word: str) -> str:
    """Strip English plural endings conservatively: universities is not universal."""
    if len(word) <= 3:
        return word
    if word.endswith("ies") and len(word) > 4:
        return f"{word[:-3]}y"
    if word.endswith("s") and not word.endswith(("ss", "is", "ias")):
        # Keeps corpus whole, strips gpus.
        word = word if word.endswith("us") and len(word) > 4 else word[:-1]
    return word[:-1] if word.endswith(("se", "xe", "ze", "che", "she")) and len(word) > 3 else word


@dataclass(frozen=True, slots=True)
class HighlightSpan:
    """A part of a text that is highlighted as a whole or not at all."""

    text: str
    is_highlighted: bool


def highlight(text: str, phrases: Sequence[tuple[str, ...]]) -> list[HighlightSpan]:
    """Return the text in parts; those that match one of the tokenized phrases are highlighted."""
    spans: list[HighlightSpan] = []
    end = 0
    for match_start, match_end in matched_spans(text, phrases):
        spans += [
            HighlightSpan(text[end:match_start], is_highlighted=False),
            HighlightSpan(text[match_start:match_end], is_highlighted=True),
        ]
        end = match_end
    spans.append(HighlightSpan(text[end:], is_highlighted=False))
    return [span for span in spans if span.text]


def matched_spans(text: str, phrases: Sequence[tuple[str, ...]]) -> list[tuple[int, int]]:
    """Return start and end of each match; matches with only white space between them are joined."""
    phrases_by_first: dict[str, list[tuple[str, ...]]] = {}
    for phrase in phrases:
        phrases_by_first.setdefault(phrase[0], []).append(phrase)
    tokens = list(token_spans(text))
    joined: list[tuple[int, int]] = []
    for index, (start, _, first_token) in enumerate(tokens):
        for phrase in phrases_by_first.get(first_token, ()):
            candidate = tokens[index : index + len(phrase)]
            if tuple(token for _, _, token in candidate) != phrase:
                continue
            end = candidate[-1][1]
            if joined and (start <= joined[-1][1] or text[joined[-1][1] : start].isspace()):
                joined[-1] = joined[-1][0], max(end, joined[-1][1])
            else:
                joined.append((start, end))
    return joined
