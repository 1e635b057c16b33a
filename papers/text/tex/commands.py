"""Render TeX commands: one handler for each kind of command."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

from papers.text.tex import symbols
from papers.text.tex.base import DROPPED_MARK, BaseRenderer, Output, Span

# Commands whose braces hold words even within a formula, and those whose braces always hold maths.
TEXT_PREFIXES = ("text", "emph", "mbox", "hbox", "fbox", "makebox", "enquote")
MATH_PREFIXES = ("math", "bm", "boldsymbol", "pmb", "operatorname", "ensuremath")
# Of two arguments, the first is a colour, address or the like, and only the second is shown.
SECOND_ARGUMENT_COMMANDS = symbols.name_set(
    "textcolor colorbox hyperlink hyperref raisebox scalebox rotatebox overset underset stackrel"
    " texorpdfstring foreignlanguage"
)
FOOTNOTE_COMMANDS = symbols.name_set("footnote footnotetext thanks")

OPTIONAL_ARGUMENTS = re.compile(r"(?:\s{0,8}\[[^\]\n]{0,200}\]){0,2}\s{0,8}")
CONTRACTION_ENDING = re.compile(r"(?:s|t|re|ll|ve)(?![A-Za-z])")
CLOSING_QUOTE = re.compile(r"[^\"\n]{0,80}\\\"(?![A-Za-z])")
TWICE_ESCAPED_COMMAND = re.compile(r"([A-Za-z]+)(?=\{)|([A-Za-z]{4,})(?![A-Za-z])")
URL_ESCAPE = re.compile(r"\\([%#&_~{}$])")


def render_command(tex: BaseRenderer, name: str, position: int, span: Span) -> Output:
    r"""Render `\name` and its arguments; `position` is the one after the name."""
    for names, handler in COMMAND_HANDLERS:
        if name in names:
            return handler(tex, name, position, span)
    return render_unknown(tex, name, position, span)


def is_known_command(name: str) -> bool:
    return any(name in names for names, _ in COMMAND_HANDLERS)


def render_symbol(tex: BaseRenderer, name: str, position: int, span: Span) -> Output:
    r"""Render a symbol; drop the space after its name if there is none before it.

    Such a space only ends the name: "Gr\o nbech" is one word, and "a\times b" is "a×b".
    """
    symbol = symbols.SYMBOLS[name]
    if tex.text.startswith("{}", position):
        return symbol, position + 2
    follows_directly = tex.char_before(position - len(name) - 1).strip()
    drops_space = not symbol.isalpha() if span.math else name in symbols.LETTER_COMMANDS
    if follows_directly and drops_space:
        position = tex.skip_space(position, span)
    return symbol, position


def render_function_name(tex: BaseRenderer, name: str, position: int, span: Span) -> Output:
    """Render log, max and the like in spaces, where a letter or digit would touch them."""
    before = tex.char_before(position - len(name) - 1)
    after = tex.char_after(position, span)
    left = " " if before.isalnum() or before in ("}", ")") else ""
    right = " " if after.isalnum() or after == "\\" else ""
    return f"{left}{name}{right}", position


def render_wrapper(tex: BaseRenderer, name: str, position: int, span: Span) -> Output:
    """Render only the argument, as maths or as text."""
    math = name.startswith(MATH_PREFIXES) or (span.math and not name.startswith(TEXT_PREFIXES))
    return tex.render_argument(position, span.inner(span.end, math=math))


def render_switch(tex: BaseRenderer, name: str, position: int, span: Span) -> Output:
    """Drop a command without arguments, and the dot of an invisible bracket such as `right.`."""
    has_dot = name in {"left", "right"} and tex.char_after(position, span) == "."
    return "", position + has_dot


def render_reference(tex: BaseRenderer, name: str, position: int, span: Span) -> Output:
    """Drop a command and its arguments; they refer to a document that is not available."""
    options = OPTIONAL_ARGUMENTS.match(tex.text, position, span.end)
    braces = tex.raw_argument(options.end() if options else position, span)
    return (DROPPED_MARK, braces[1]) if braces else ("", position)


def render_space(tex: BaseRenderer, name: str, position: int, span: Span) -> Output:
    return " ", position


def render_footnote(tex: BaseRenderer, name: str, position: int, span: Span) -> Output:
    text, position = tex.render_argument(position, span.inner(span.end, math=False))
    return f" ({text.strip()})" if text.strip() else "", position


def render_second_argument(tex: BaseRenderer, name: str, position: int, span: Span) -> Output:
    _, position = tex.render_argument(position, span.inner(span.end))
    return tex.render_argument(position, span.inner(span.end))


def render_fraction(tex: BaseRenderer, name: str, position: int, span: Span) -> Output:
    inner = span.inner(span.end, math=True)
    numerator, position = tex.render_argument(position, inner)
    denominator, position = tex.render_argument(position, inner)
    return f"{parenthesise(numerator)}/{parenthesise(denominator)}", position


def render_binomial(tex: BaseRenderer, name: str, position: int, span: Span) -> Output:
    inner = span.inner(span.end, math=True)
    total, position = tex.render_argument(position, inner)
    chosen, position = tex.render_argument(position, inner)
    return f"({total.strip()} choose {chosen.strip()})", position


def render_root(tex: BaseRenderer, name: str, position: int, span: Span) -> Output:
    degree = re.compile(r"\[(\w{1,3})\]").match(tex.text, position, span.end)
    content, position = tex.render_argument(
        degree.end() if degree else position, span.inner(span.end, math=True)
    )
    index = "".join(symbols.SUPERSCRIPTS.get(char, char) for char in degree[1]) if degree else ""
    return f"{index}√{parenthesise(content)}", position


def render_double_struck(tex: BaseRenderer, name: str, position: int, span: Span) -> Output:
    content, position = tex.render_argument(position, span.inner(span.end, math=True))
    return symbols.DOUBLE_STRUCK.get(content, content), position


def render_modulo(tex: BaseRenderer, name: str, position: int, span: Span) -> Output:
    content, position = tex.render_argument(position, span.inner(span.end, math=True))
    return f" (mod {content.strip()})", position


def render_script(tex: BaseRenderer, name: str, position: int, span: Span) -> Output:
    content, position = tex.render_argument(position, span.inner(span.end))
    return tex.format_script("^" if name == "textsuperscript" else "_", content.strip()), position


def render_url(tex: BaseRenderer, name: str, position: int, span: Span) -> Output:
    braces = tex.raw_argument(position, span)
    if braces is None:
        return "", position
    return URL_ESCAPE.sub(r"\1", braces[0]).strip(), braces[1]


def render_hyperlink(tex: BaseRenderer, name: str, position: int, span: Span) -> Output:
    """Render the text of a link, and its address in parentheses unless the text shows it."""
    address, position = render_url(tex, name, position, span)
    label, position = tex.render_argument(position, span.inner(span.end))
    label = label.strip()
    if not label or label.lower().startswith("http") or label in address:
        return address or label, position
    return f"{label} ({address})" if address else label, position


def render_code_point(tex: BaseRenderer, name: str, position: int, span: Span) -> Output:
    braces = tex.raw_argument(position, span)
    number = re.fullmatch(r"x([0-9A-Fa-f]{2,5})", braces[0]) if braces else None
    if not braces or not number:
        return "", position
    char = chr(int(number[1], 16))
    return char if char.isprintable() else "", braces[1]


def render_letter_accent(tex: BaseRenderer, name: str, position: int, span: Span) -> Output:
    r"""Render an accent as in \H{o} or \v s; keep \d+ and \b, which are regular expressions."""
    braces = tex.raw_argument(position, span)
    if braces and name + braces[0] in symbols.SYMBOLS:
        # arXiv rewrites \kappa as \k{appa}.
        return symbols.SYMBOLS[name + braces[0]], braces[1]
    if braces is None and not (
        name in "Hvck" and re.match(r" [^\W\d_]", tex.text[position : position + 2])
    ):
        return f"\\{name}", position
    base, end = tex.render_argument(position, span.inner(span.end))
    if not is_letter(base):
        return f"\\{name}", position
    return with_accent(base, symbols.ACCENTS[name]), end


def render_math_accent(tex: BaseRenderer, name: str, position: int, span: Span) -> Output:
    base, position = tex.render_argument(position, span.inner(span.end, math=True))
    return with_accent(base, symbols.MATH_ACCENTS[name]), position


def render_unknown(tex: BaseRenderer, name: str, position: int, span: Span) -> Output:
    """Render a macro of the authors' as its argument or else its name; keep what is no macro."""
    braces = tex.raw_argument(position, span)
    if braces and braces[0].strip():
        return tex.render_argument(position, span.inner(span.end))
    if braces:
        return name, braces[1]
    in_path = tex.char_before(position - len(name) - 1).isalnum()
    if not span.math and (len(name) == 1 or in_path):
        return f"\\{name}", position
    return name, position


def render_escape(tex: BaseRenderer, mark: str, position: int, span: Span) -> Output:
    r"""Render `\%`, `\'`, `\(` and the like; `position` is the one after the mark."""
    if mark in "([":
        return render_formula(tex, mark, position, span)
    if mark in "$%&#_{}":
        return mark, position
    if mark in " ,;:>\n\t":
        return " ", position
    if mark in "!-/@":
        return "", position
    if mark == "\\":
        return render_line_break(tex, position, span)
    if mark in symbols.ACCENTS:
        return render_accent(tex, mark, position, span)
    if mark == "|" and span.math:
        return "‖", position
    if mark in ")]|":
        return mark, position
    if mark.isdigit() and not span.math and not tex.char_before(position - 2).isalnum():
        # Hugging Face removes dollar signs, also from \$1.49M.
        return f"${mark}", position
    return f"\\{mark}", position


def render_formula(tex: BaseRenderer, mark: str, position: int, span: Span) -> Output:
    limit = min(span.end, position + tex.MAX_FORMULA_CHARS)
    close = tex.text.find("\\)" if mark == "(" else "\\]", position, limit)
    if close < 0:
        return mark, position
    return tex.render_range(position, span.inner(close, math=True)), close + 2


def render_line_break(tex: BaseRenderer, position: int, span: Span) -> Output:
    r"""Render a line break, or a command that was escaped twice: \\% or \\textbf{so}."""
    if tex.char_after(position, span) in tuple("%&#_"):
        return tex.text[position], position + 1
    name = TWICE_ESCAPED_COMMAND.match(tex.text, position, span.end)
    if name and is_known_command(name.group()):
        return render_command(tex, name.group(), name.end(), span)
    return " ", position


def render_accent(tex: BaseRenderer, mark: str, position: int, span: Span) -> Output:
    r"""Render an accent as in \'e or \"{u}, or an escaped apostrophe or quotation mark."""
    before = tex.char_before(position - 2)
    if mark == "'" and before.isalpha() and CONTRACTION_ENDING.match(tex.text, position, span.end):
        return mark, position
    if mark == '"' and not before.isalpha() and CLOSING_QUOTE.match(tex.text, position, span.end):
        return mark, position
    following = tex.char_after(position, span)
    if following == "{" or following == "\\" or following.isalpha():
        base, end = tex.render_argument(position, span.inner(span.end, math=False))
        if is_letter(base):
            return with_accent(base, symbols.ACCENTS[mark]), end
        if not base:
            return mark, end
    return mark, position


def is_letter(text: str) -> bool:
    return len(text) == 1 and text.isalpha()


def with_accent(base: str, mark: str) -> str:
    """Return a letter with an accent; return a longer text unchanged."""
    base = {"ı": "i", "ȷ": "j"}.get(base, base)
    return unicodedata.normalize("NFC", base + mark) if is_letter(base) else base


def parenthesise(text: str) -> str:
    """Put a text in parentheses unless it is one word or has its own."""
    text = text.strip()
    return text if re.fullmatch(r"[\w.′∞]*|\([^()]*\)", text) else f"({text})"


CommandHandler = Callable[[BaseRenderer, str, int, Span], Output]
# The first entry with a name decides.
COMMAND_HANDLERS: tuple[tuple[frozenset[str] | dict[str, str], CommandHandler], ...] = (
    (symbols.SYMBOLS, render_symbol),
    (symbols.WRAPPERS, render_wrapper),
    (symbols.FUNCTION_NAMES, render_function_name),
    (symbols.DROPPED_WITH_ARGUMENTS, render_reference),
    (symbols.SWITCHES, render_switch),
    (symbols.SPACES, render_space),
    (symbols.ACCENTS, render_letter_accent),
    (symbols.MATH_ACCENTS, render_math_accent),
    (SECOND_ARGUMENT_COMMANDS, render_second_argument),
    (FOOTNOTE_COMMANDS, render_footnote),
    (frozenset({"frac", "dfrac", "tfrac", "cfrac", "nicefrac", "sfrac"}), render_fraction),
    (frozenset({"binom", "dbinom", "tbinom"}), render_binomial),
    (frozenset({"sqrt"}), render_root),
    (frozenset({"mathbb", "mathds", "mathbbm", "Bbb"}), render_double_struck),
    (frozenset({"pmod"}), render_modulo),
    (frozenset({"textsuperscript", "textsubscript"}), render_script),
    (frozenset({"url", "path", "nolinkurl"}), render_url),
    (frozenset({"href"}), render_hyperlink),
    (frozenset({"unicode"}), render_code_point),
)
