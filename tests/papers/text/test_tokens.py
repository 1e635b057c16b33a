"""Words are normalised, so that each spelling finds the others."""

from __future__ import annotations

import pytest

from papers.text.tokens import MAX_TOKEN_CHARS, highlight, tokenize


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("L²NAS", ["l2na"]),
        ("Erdős–Rényi", ["erdo", "renyi"]),
        ("Łukasz Ørsted, Groß", ["lukasz", "orsted", "gross"]),
        ("ＦＵＬＬ ﬁeld", ["full", "field"]),
        ("GPT-4o", ["gpt", "4o"]),
        ("state of the art", ["state", "art"]),
        ("AND NOT (", []),
        ("x_max\x00y", ["x", "max", "y"]),
        ("½", ["1", "2"]),
        ("李明 Привет", ["李明", "привет"]),
        ("a" * 100, ["a" * MAX_TOKEN_CHARS]),
    ],
)
def test_words_are_split_and_normalised(text, tokens):
    assert tokenize(text) == tokens


@pytest.mark.parametrize(
    ("singular", "plural"),
    [
        ("network", "networks"),
        ("class", "classes"),
        ("cache", "caches"),
        ("box", "boxes"),
        ("base", "bases"),
        ("approach", "approaches"),
        ("strategy", "strategies"),
        ("GPU", "GPUs"),
        ("LLM", "LLMs"),
        ("image", "images"),
    ],
)
def test_singular_and_plural_are_the_same_token(singular, plural):
    assert tokenize(singular) == tokenize(plural)


@pytest.mark.parametrize(
    ("one", "other"), [("plane", "plan"), ("university", "universal"), ("corpus", "corpu")]
)
def test_different_words_stay_different(one, other):
    assert tokenize(one) != tokenize(other)


def highlighted(text, *phrases):
    """Return the text with [highlights] in brackets."""
    spans = highlight(text, [tuple(tokenize(phrase)) for phrase in phrases])
    return "".join(f"[{span.text}]" if span.is_highlighted else span.text for span in spans)


def test_matches_are_highlighted_as_they_are_written():
    assert highlighted("Erdős: L²NAS & networks.", "erdos", "l2nas", "network") == (
        "[Erdős]: [L²NAS] & [networks]."
    )
    assert highlighted("Decomposed: Erdo\u030bs.", "erdos") == "Decomposed: [Erdo\u030bs]."


def test_a_phrase_is_highlighted_as_a_whole_and_adjacent_matches_together():
    assert highlighted("State of the art. Art, state.", "state of the art") == (
        "[State of the art]. Art, state."
    )
    assert highlighted("graph neural networks", "neural", "graph", "neural network") == (
        "[graph neural networks]"
    )


def test_a_text_without_a_match_is_unchanged():
    assert highlighted("Nothing here.", "robot") == "Nothing here."
    assert highlighted("", "robot") == ""
