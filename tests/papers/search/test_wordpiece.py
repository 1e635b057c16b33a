"""A text becomes the token ids that the model was trained on."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from papers.search import wordpiece
from tests.papers import recordings


def pieces(text, max_tokens=256):
    pieces_by_id = {token_id: piece for piece, token_id in wordpiece.load_vocabulary().items()}
    return [pieces_by_id[token_id] for token_id in wordpiece.token_ids(text, max_tokens=max_tokens)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("Hello, World!", "hello , world !"),
        ("Erdős–Rényi", "er ##dos – ren ##yi"),
        ("tokenization", "token ##ization"),
        ("a\tb\u00a0c\x00d", "a b cd"),
        ("日本", "日 本"),
        ("x=1/2", "x = 1 / 2"),
        ("x" * 101, "[UNK]"),
        # A special token in a text is text.
        ("the [CLS] token", "the [ cl ##s ] token"),
    ],
)
def test_a_text_is_split_into_pieces_of_the_vocabulary(text, expected):
    assert pieces(text) == ["[CLS]", *expected.split(), "[SEP]"]


def test_token_ids_are_those_of_bert():
    assert wordpiece.token_ids("hello world", max_tokens=256) == [101, 7592, 2088, 102]


def test_a_long_text_is_cut_and_still_ends_with_sep():
    assert pieces("one two three four", max_tokens=4) == ["[CLS]", "one", "two", "[SEP]"]


@given(st.text(max_size=60))
def test_any_text_starts_with_cls_and_ends_with_sep(text):
    ids = wordpiece.token_ids(text, max_tokens=16)

    assert (ids[0], ids[-1]) == (101, 102)
    assert 2 <= len(ids) <= 16


@recordings.needs_recordings
def test_fewer_than_one_token_in_1000_of_real_abstracts_is_unknown():
    texts = [abstract for _, abstract, _ in recordings.labelled_papers()]
    ids = [token_id for text in texts for token_id in wordpiece.token_ids(text, max_tokens=10_000)]

    assert ids.count(wordpiece.load_vocabulary()["[UNK]"]) < len(ids) / 1_000
