"""What TeX's commands show, kind by kind."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from typing import TYPE_CHECKING

from papers.text.tex import symbols

if TYPE_CHECKING:
    from papers.text.tex.reader import Reader, Shown, Span

# A dropped reference, until the space before it is settled; never in a cleaned text.
DROPPED = "\x00"

# Their braces hold words even within a formula; those of mathcal and its like always hold maths.
WORDY = ("text", "emph", "mbox", "hbox", "fbox", "makebox", "enquote")
MATHS = ("math", "bm", "boldsymbol", "pmb", "operatorname", "ensuremath")
# The first of two arguments says how, the second what.
SECOND_OF_TWO = symbols.names(
    "textcolor colorbox hyperlink hyperref raisebox scalebox rotatebox overset underset stackrel"
    " texorpdfstring foreignlanguage"
)
NOTES = symbols.names("footnote footnotetext thanks")

OPTIONS = re.compile(r"(?:\s{0,8}\[[^\]\n]{0,200}\]){0,2}\s{0,8}")
APOSTROPHE = re.compile(r"(?:s|t|re|ll|ve)(?![A-Za-z])")
CLOSING_QUOTE = re.compile(r"[^\"\n]{0,80}\\\"(?![A-Za-z])")
ESCAPED_TWICE = re.compile(r"([A-Za-z]+)(?=\{)|([A-Za-z]{4,})(?![A-Za-z])")
URL_ESCAPE = re.compile(r"\\([%#&_~{}$])")


def read(tex: Reader, name: str, position: int, span: Span) -> Shown:
    r"""What `\name` and its arguments show; the position is the one after the name."""
    for names, shown in KINDS:
        if name in names:
            return shown(tex, name, position, span)
    return unknown(tex, name, position, span)


def is_known(name: str) -> bool:
    return any(name in names for names, _ in KINDS)


def symbol(tex: Reader, name: str, position: int, span: Span) -> Shown:
    """A sign; the space that only ends its name goes where it would leave the sign lopsided."""
    sign = symbols.SYMBOLS[name]
    if tex.text.startswith("{}", position):
        return sign, position + 2
    close_before = tex.before(position - len(name) - 1).strip()
    if close_before and (name in symbols.LETTERS if not span.math else not sign.isalpha()):
        position = tex.skip_space(position, span)
    return sign, position


def function(tex: Reader, name: str, position: int, span: Span) -> Shown:
    before = tex.before(position - len(name) - 1)
    after = tex.after(position, span)
    left = " " if before.isalnum() or before in ("}", ")") else ""
    right = " " if after.isalnum() or after == "\\" else ""
    return f"{left}{name}{right}", position


def wrapper(tex: Reader, name: str, position: int, span: Span) -> Shown:
    math = name.startswith(MATHS) or (span.math and not name.startswith(WORDY))
    return tex.argument(position, span.inner(span.end, math=math))


def switch(tex: Reader, name: str, position: int, span: Span) -> Shown:
    invisible = name in {"left", "right"} and tex.after(position, span) == "."
    return "", position + invisible


def reference(tex: Reader, name: str, position: int, span: Span) -> Shown:
    """It points into a document that is not here."""
    options = OPTIONS.match(tex.text, position, span.end)
    braces = tex.raw_argument(options.end() if options else position, span)
    return (DROPPED, braces[1]) if braces else ("", position)


def space(tex: Reader, name: str, position: int, span: Span) -> Shown:
    return " ", position


def note(tex: Reader, name: str, position: int, span: Span) -> Shown:
    text, position = tex.argument(position, span.inner(span.end, math=False))
    return f" ({text.strip()})" if text.strip() else "", position


def second_of_two(tex: Reader, name: str, position: int, span: Span) -> Shown:
    _, position = tex.argument(position, span.inner(span.end))
    return tex.argument(position, span.inner(span.end))


def fraction(tex: Reader, name: str, position: int, span: Span) -> Shown:
    inner = span.inner(span.end, math=True)
    above, position = tex.argument(position, inner)
    below, position = tex.argument(position, inner)
    return f"{bracketed(above)}/{bracketed(below)}", position


def binomial(tex: Reader, name: str, position: int, span: Span) -> Shown:
    inner = span.inner(span.end, math=True)
    above, position = tex.argument(position, inner)
    below, position = tex.argument(position, inner)
    return f"({above.strip()} choose {below.strip()})", position


def root(tex: Reader, name: str, position: int, span: Span) -> Shown:
    degree = re.compile(r"\[(\w{1,3})\]").match(tex.text, position, span.end)
    content, position = tex.argument(
        degree.end() if degree else position, span.inner(span.end, math=True)
    )
    raised = "".join(symbols.SUPERSCRIPTS.get(each, each) for each in degree[1]) if degree else ""
    return f"{raised}√{bracketed(content)}", position


def double_struck(tex: Reader, name: str, position: int, span: Span) -> Shown:
    content, position = tex.argument(position, span.inner(span.end, math=True))
    return symbols.DOUBLE_STRUCK.get(content, content), position


def modulo(tex: Reader, name: str, position: int, span: Span) -> Shown:
    content, position = tex.argument(position, span.inner(span.end, math=True))
    return f" (mod {content.strip()})", position


def raised(tex: Reader, name: str, position: int, span: Span) -> Shown:
    content, position = tex.argument(position, span.inner(span.end))
    return tex.scripted("^" if name == "textsuperscript" else "_", content.strip()), position


def url(tex: Reader, name: str, position: int, span: Span) -> Shown:
    braces = tex.raw_argument(position, span)
    if braces is None:
        return "", position
    return URL_ESCAPE.sub(r"\1", braces[0]).strip(), braces[1]


def link(tex: Reader, name: str, position: int, span: Span) -> Shown:
    """The words and, where they do not show it already, the address."""
    address, position = url(tex, name, position, span)
    words, position = tex.argument(position, span.inner(span.end))
    words = words.strip()
    if not words or words.lower().startswith("http") or words in address:
        return address or words, position
    return f"{words} ({address})" if address else words, position


def code_point(tex: Reader, name: str, position: int, span: Span) -> Shown:
    braces = tex.raw_argument(position, span)
    number = re.fullmatch(r"x([0-9A-Fa-f]{2,5})", braces[0]) if braces else None
    if not braces or not number:
        return "", position
    sign = chr(int(number[1], 16))
    return sign if sign.isprintable() else "", braces[1]


def letter_accent(tex: Reader, name: str, position: int, span: Span) -> Shown:
    r"""\H{o}, \v s; but \d+ and \b are somebody's regular expression."""
    braces = tex.raw_argument(position, span)
    if braces and name + braces[0] in symbols.SYMBOLS:
        # arXiv takes \kappa for a \k upon "appa".
        return symbols.SYMBOLS[name + braces[0]], braces[1]
    if braces is None and not (
        name in "Hvck" and re.match(r" [^\W\d_]", tex.text[position : position + 2])
    ):
        return f"\\{name}", position
    base, end = tex.argument(position, span.inner(span.end))
    if not is_letter(base):
        return f"\\{name}", position
    return over(base, symbols.ACCENTS[name]), end


def math_accent(tex: Reader, name: str, position: int, span: Span) -> Shown:
    base, position = tex.argument(position, span.inner(span.end, math=True))
    return over(base, symbols.MATH_ACCENTS[name]), position


def unknown(tex: Reader, name: str, position: int, span: Span) -> Shown:
    """A macro of the authors': its argument or else its name; or no macro at all."""
    braces = tex.raw_argument(position, span)
    if braces and braces[0].strip():
        return tex.argument(position, span.inner(span.end))
    if braces:
        return name, braces[1]
    in_path = tex.before(position - len(name) - 1).isalnum()
    if not span.math and (len(name) == 1 or in_path):
        return f"\\{name}", position
    return name, position


def escape(tex: Reader, mark: str, position: int, span: Span) -> Shown:
    r"""What `\%`, `\'`, `\(` and their like show; the position is the one after the mark."""
    if mark in "([":
        return formula(tex, mark, position, span)
    if mark in "$%&#_{}":
        return mark, position
    if mark in " ,;:>\n\t":
        return " ", position
    if mark in "!-/@":
        return "", position
    if mark == "\\":
        return line_break(tex, position, span)
    if mark in symbols.ACCENTS:
        return accent(tex, mark, position, span)
    if mark == "|" and span.math:
        return "‖", position
    if mark in ")]|":
        return mark, position
    if mark.isdigit() and not span.math and not tex.before(position - 2).isalnum():
        # Hugging Face eats dollars, also those of \$1.49M.
        return f"${mark}", position
    return f"\\{mark}", position


def formula(tex: Reader, mark: str, position: int, span: Span) -> Shown:
    limit = min(span.end, position + tex.LONGEST_FORMULA)
    close = tex.text.find("\\)" if mark == "(" else "\\]", position, limit)
    if close < 0:
        return mark, position
    return tex.between(position, span.inner(close, math=True)), close + 2


def line_break(tex: Reader, position: int, span: Span) -> Shown:
    r"""A new line; or a command that was escaped twice on its way: \\% or \\textbf{so}."""
    if tex.after(position, span) in tuple("%&#_"):
        return tex.text[position], position + 1
    name = ESCAPED_TWICE.match(tex.text, position, span.end)
    if name and is_known(name.group()):
        return read(tex, name.group(), name.end(), span)
    return " ", position


def accent(tex: Reader, mark: str, position: int, span: Span) -> Shown:
    r"""\'e, \"{u}; but also an apostrophe or a quotation mark that somebody escaped."""
    before = tex.before(position - 2)
    if mark == "'" and before.isalpha() and APOSTROPHE.match(tex.text, position, span.end):
        return mark, position
    if mark == '"' and not before.isalpha() and CLOSING_QUOTE.match(tex.text, position, span.end):
        return mark, position
    following = tex.after(position, span)
    if following == "{" or following == "\\" or following.isalpha():
        base, end = tex.argument(position, span.inner(span.end, math=False))
        if is_letter(base):
            return over(base, symbols.ACCENTS[mark]), end
        if not base:
            return mark, end
    return mark, position


def is_letter(text: str) -> bool:
    return len(text) == 1 and text.isalpha()


def over(base: str, mark: str) -> str:
    """An accent on one letter; a longer base stays as it is."""
    base = {"ı": "i", "ȷ": "j"}.get(base, base)
    return unicodedata.normalize("NFC", base + mark) if is_letter(base) else base


def bracketed(text: str) -> str:
    """In brackets, unless it is of one piece."""
    text = text.strip()
    return text if re.fullmatch(r"[\w.′∞]*|\([^()]*\)", text) else f"({text})"


Kind = Callable[["Reader", str, int, "Span"], "Shown"]
KINDS: tuple[tuple[frozenset[str] | dict[str, str], Kind], ...] = (
    (symbols.SYMBOLS, symbol),
    (symbols.WRAPPERS, wrapper),
    (symbols.FUNCTIONS, function),
    (symbols.REFERENCES, reference),
    (symbols.SWITCHES, switch),
    (symbols.SPACES, space),
    (symbols.ACCENTS, letter_accent),
    (symbols.MATH_ACCENTS, math_accent),
    (SECOND_OF_TWO, second_of_two),
    (NOTES, note),
    (frozenset({"frac", "dfrac", "tfrac", "cfrac", "nicefrac", "sfrac"}), fraction),
    (frozenset({"binom", "dbinom", "tbinom"}), binomial),
    (frozenset({"sqrt"}), root),
    (frozenset({"mathbb", "mathds", "mathbbm", "Bbb"}), double_struck),
    (frozenset({"pmod"}), modulo),
    (frozenset({"textsuperscript", "textsubscript"}), raised),
    (frozenset({"url", "path", "nolinkurl"}), url),
    (frozenset({"href"}), link),
    (frozenset({"unicode"}), code_point),
)
