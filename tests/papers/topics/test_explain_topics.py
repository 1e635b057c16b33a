"""The command that explains a paper's topics to an operator."""

from __future__ import annotations

import io

import pytest
from django.core.management import CommandError, call_command

from papers.topics import classifier
from tests import factories

pytestmark = pytest.mark.django_db


def explain(*args: str) -> str:
    out = io.StringIO()
    call_command("explain_topics", *args, stdout=out)
    return out.getvalue()


def test_a_stored_paper_is_explained_from_all_its_fields():
    paper = factories.paper(
        title="Robots at Work",
        abstract="Locomotion, and locomotion again, by reward.",
        categories=["cs.SE"],
        keywords=["grasping"],
    )

    assert explain(f"https://arxiv.org/abs/{paper.arxiv_id}v3") == (
        "Topics: robotics, code. Threshold: 2.88.\n"
        "\n"
        "robotics  5.75  yes\n"
        "  3.00  title: robots\n"
        "  1.75  abstract: locomotion, 2 times\n"
        "  1.00  keywords: grasping\n"
        "\n"
        "code  3.00  yes\n"
        "  3.00  category: cs.SE\n"
        "\n"
        "reinforcement-learning  0.50  no: only common words\n"
        "  0.50  abstract: reward, common\n"
    )


def test_a_rejected_topic_is_shown_with_the_missing_weight():
    output = explain("--title", "A Study", "--abstract", "Robots.")

    assert output == (
        "Topics: none. Threshold: 1.75.\n\nrobotics  1.00  no: less than 1.75\n"
        "  1.00  abstract: robots\n"
    )


def test_a_general_category_is_labelled():
    output = explain("--category", "cmp-lg", "--keyword", "robots", "--keyword", "robots")

    assert output.splitlines()[0] == "Topics: robotics. Threshold: 1.75."
    assert "  1.75  keywords: robots, 2 times" in output
    assert "nlp  1.00  no: only common words\n  1.00  general category: cs.CL" in output


def test_a_latex_title_is_converted_to_text_first():
    assert "title: quantum" in explain("--title", r"\textbf{Quantum} Things")


@pytest.mark.parametrize("title", ["Zzz", "\ud800", "\x00", "🙂", "'; DROP TABLE papers_paper"])
def test_a_paper_without_topics_is_explained(title):
    assert explain("--title", title) == "No topic: the rules find nothing in this paper.\n"


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        ([], "Give the arXiv id or DOI of a stored paper, or a --title."),
        ([""], "Give the arXiv id or DOI of a stored paper, or a --title."),
        (["--title", ""], "Give the arXiv id or DOI of a stored paper, or a --title."),
        (["robots"], "No paper 'robots' is stored. Give its --title and --abstract instead."),
        (["\udcff"], "No paper '\\udcff' is stored. Give its --title and --abstract instead."),
        (
            ["2605.0\x00"],
            "No paper '2605.0\\x00' is stored. Give its --title and --abstract instead.",
        ),
        (
            ["9" * 10**5],
            f"No paper '{'9' * 80}' is stored. Give its --title and --abstract instead.",
        ),
        (
            ["2605.99999"],
            "No paper '2605.99999' is stored. Give its --title and --abstract instead.",
        ),
        (
            ["2605.01234", "--title", "x", "--abstract", "y"],
            "Give the id of a stored paper or --abstract and --title, not both.",
        ),
        (["--category", "cs.XX"], "'cs.XX' is not an arXiv category, such as cs.LG."),
    ],
    ids=lambda value: repr(value[:1])[:20] if isinstance(value, list) else "",
)
def test_invalid_arguments_are_refused_with_a_sentence(args, sentence):
    with pytest.raises(CommandError) as error:
        explain(*args)

    assert str(error.value) == sentence


def test_the_output_shows_all_evidence_of_the_classification():
    title, abstract = "Robots and Graphs", "Robots learn by reinforcement learning. Robots learn."
    classification = classifier.classify(title, abstract)

    output = explain("--title", title, "--abstract", abstract)

    assert classification.chosen == classifier.topic_slugs(title, abstract)
    assert output.splitlines()[0].startswith(f"Topics: {', '.join(classification.chosen)}.")
    assert output.count("\n  ") == len(classification.evidence)
