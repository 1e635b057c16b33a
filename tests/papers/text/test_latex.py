"""TeX and entities become readable text, and prose is unchanged."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from papers.text.latex import latex_to_text
from papers.text.tex import symbols
from tests.papers import recordings


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        # Formulas
        (r"L$^{2}$NAS", "L²NAS"),
        (r"$O(N^2)$ and $O(n\log n)$", "O(N²) and O(n log n)"),
        (r"$\pi_{0.5}$, $\pi_0$", "π_0.5, π₀"),
        (r"$\nabla^2$DFT", "∇²DFT"),
        (r"at 10$\times$ or 20\times the speed", "at 10× or 20× the speed"),
        (r"($p<0.05$, $R^2 > 0.9$)", "(p<0.05, R² > 0.9)"),
        (r"$x_{t+1} \in \mathbb{R}^{n \times m}$", "xₜ₊₁ ∈ ℝ^(n × m)"),
        (r"$f:\mathcal{X}\to\mathcal{Y}$", "f:X→Y"),
        (r"$\frac{1}{k}$, $\frac12$, $\frac{a+b}{2}$", "1/k, 1/2, (a+b)/2"),
        (r"$\sqrt{n}$ and $\sqrt[3]{x+1}$", "√n and ³√(x+1)"),
        (r"$\hat{y} = \|x\|_2$", "ŷ = ‖x‖₂"),
        (r"360$^\circ$, CO$_2$, $5^{th}$, A$^*$", "360°, CO₂, 5ᵗʰ, A*"),
        (r"$\sim$10, $+$9, $95\%$ of $\{0,1\}^n$", "∼10, +9, 95% of {0,1}ⁿ"),
        (r"\(\ell \geq 2n\) and \[a^2\]", "ℓ ≥ 2n and a²"),
        (r"$$E = mc^2$$", "E = mc²"),
        (r"$\text{for all } n_{\max}$", "for all n_max"),
        (r"$\left( \frac{a}{b} \right.$", "( a/b"),
        (r"$CoT$-$Pass@K$", "CoT-Pass@K"),
        (r"\unicode{x2014} and $\binom{n}{k}$", "— and (n choose k)"),
        # Text commands
        (r"\textbf{Bold}, \emph{it}, {\bf so}, {\color{red} red}", "Bold, it, so, red"),
        (r"\textbf{n\emph{est\textit{ed}}}", "nested"),
        (r"5\% of R\&D \#1 \$5, a\_file", "5% of R&D #1 $5, a_file"),
        (r"1/\text{depth}", "1/depth"),
        (r"\textsuperscript{2}", "²"),
        (r"so \cite{a,b}. Also~\citep[see][p. 3]{c}, (\ref{d})", "so. Also,"),
        (r"\url{https://x.org/a\_b%20c}", "https://x.org/a_b%20c"),
        (r"\href{https://x.org/a}{our code}", "our code (https://x.org/a)"),
        (r"\href{https://x.org/a}{https://x.org/a}", "https://x.org/a"),
        (r"it\footnote{See below.} is", "it (See below.) is"),
        (r"\textcolor{red}{red} and \LaTeX{}", "red and LaTeX"),
        (
            r"We present \ours, and \method{} is \name\ itself",
            "We present ours, and method is name itself",
        ),
        (r"\rev{revised}", "revised"),
        # Accents
        (r"Erd\H{o}s--R\'enyi", "Erdős–Rényi"),
        (r"Schr\"odinger, Poincar\'{e}, \v{S}\'\i, \c{c}, \AA", "Schrödinger, Poincaré, Ší, ç, Å"),
        (r"Gr\o nbech and Stra\ss e", "Grønbech and Straße"),
        (r"the model\'s \"attention\"", 'the model\'s "attention"'),
        # Dashes, quotes, ties
        ("a---b, a--b, a -- b, --flag, <!-- x -->", "a—b, a–b, a – b, --flag, <!-- x -->"),
        ("``double'' and `single' and ''twice''", "“double” and ‘single’ and “twice”"),
        ("Fig.~3, ~10%, 12~20%, https://x.org/~me", "Fig. 3, ~10%, 12~20%, https://x.org/~me"),
        # Left when Hugging Face has removed dollar signs and backslashes
        ("nabla^2DFT, tau^2-bench", "∇²DFT, τ²-bench"),
        ("R^{d_x}, L_2, 10^{-3}, 10^6, 7 x 10^5", "R^dₓ, L₂, 10⁻³, 10⁶, 7 x 10⁵"),
        ("1/text{depth}, mathcal{L}_{t}", "1/depth, Lₜ"),
        ("(z_{t}rightarrow z_{0}), 1.2times", "(zₜ→z₀), 1.2×"),
        (r"\1.49M and \212 K", "$1.49M and $212 K"),
        (r"{\Theta}(40K), {L}ong", "Θ(40K), Long"),
        # Entities
        ("R&amp;D, Bayes&amp;#x27; rule, &amp;lt;b&amp;gt;", "R&D, Bayes' rule, <b>"),
        ("&eacute;&#233;&#xE9;", "ééé"),
        # White space
        ("A title\n  in two lines\u00a0and\tmore ", "A title in two lines and more"),
    ],
)
def test_tex_and_entities_become_readable_text(source, expected):
    assert latex_to_text(source) == expected
    assert latex_to_text(expected) == expected


@pytest.mark.parametrize(
    "prose",
    [
        "",
        "It costs $5 and $10, $5-$10, or $20K (vs. $30K).",
        "AT&T, R&D, a < b & c; 100% of it",
        r"C:\Users\name\new and \\server\share",
        r"the pattern \d+\s*\w and \d{3}",
        "file_name, C_max_value, __init__, snake_case_name",
        'a set {0, 1}, a template {name}, {"json": 1}',
        "`code` and don't",
        "C++ and C# at 50% (e.g. *.py)",
        "naïve, 李明, 🤗, Ω, “quoted” – and so on…",
    ],
)
def test_prose_is_unchanged(prose):
    assert latex_to_text(prose) == prose


@pytest.mark.parametrize(
    "source",
    [
        "{" * 3000,
        "}" * 3000,
        "$" * 3001,
        r"\frac{a",
        r"$x^{2 and so on",
        "^_^",
        "\\",
        r"\textbf",
        "{}",
    ],
)
def test_broken_tex_is_not_an_error(source):
    latex_to_text(source)


HARD_UNITS = [
    "{", "$", "$x ", "^{", r"\hat", r"\frac{", r"\(", r"\cite[", "_", "`", "'", "~", r"\"", "&amp;",
]  # fmt: skip


def test_a_long_text_of_broken_tex_does_not_hang(subtests):
    """The bound is generous: in quadratic time it would take minutes."""
    for unit in HARD_UNITS:
        with subtests.test(unit):
            started = time.perf_counter()
            latex_to_text(unit * (60_000 // len(unit)))

            assert time.perf_counter() - started < 10


def test_unprintable_characters_are_dropped():
    assert latex_to_text("a\x00b\ud800c\u202ed\u200be\ufefff") == "abcdef"


@given(st.text(alphabet=st.sampled_from(list("ab2 $\\{}^_~`'-&;.()[]%\"\n")), max_size=60))
def test_any_text_is_rendered_on_one_line(text):
    rendered = latex_to_text(text)

    assert rendered == " ".join(rendered.split())


def test_every_known_symbol_is_rendered():
    rendered = {name: latex_to_text(f"$\\{name}$ ") for name in symbols.SYMBOLS}

    assert rendered == symbols.SYMBOLS


REMAINING_MARKUP = re.compile(r"\\[A-Za-z]+|&(?:#\d+|#x[0-9a-fA-F]+|[A-Za-z]{2,});|[_^]\{")


@recordings.needs_recordings
def test_no_recorded_hugging_face_paper_shows_tex():
    items = [*recordings.huggingface_items(), *recordings.huggingface_hard_cases()]
    texts = [(item["title"], item["paper"]["title"], item["paper"]["summary"]) for item in items]

    with_markup = [
        rendered
        for paper_texts in texts
        for text in paper_texts
        if REMAINING_MARKUP.search(rendered := latex_to_text(text))
    ]

    assert with_markup == []


@recordings.needs_recordings
def test_fewer_than_2_in_1000_arxiv_papers_show_tex():
    papers = recordings.arxiv_papers()[::3]

    with_markup = [
        paper["id"]
        for paper in papers
        if REMAINING_MARKUP.search(latex_to_text(paper["title"]) + latex_to_text(paper["summary"]))
    ]

    assert len(with_markup) / len(papers) < 0.002


@recordings.needs_recordings
def test_recorded_prose_keeps_its_letters():
    commands = re.compile(
        r"\\(?:cite\w*|ref|label|color|textcolor|href|unicode|begin|end|vspace)\*?"
        r"(?:\[[^\]]*\])*(?:\{[^{}]*\})|\\[A-Za-z]+"
    )

    def count_letters(text: str) -> int:
        return sum(char.isalpha() for char in text)

    for paper in recordings.arxiv_papers()[::3]:
        expected = count_letters(commands.sub("", paper["summary"]))
        assert count_letters(latex_to_text(paper["summary"])) >= 0.97 * expected - 3, paper["id"]
