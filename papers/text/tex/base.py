"""Render prose with some TeX from left to right: tokens, groups and scripts.

Commands are left to the subclass in renderer.py, so that commands.py can import this class.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from typing import NamedTuple

from papers.text.tex import symbols

TOKEN_PATTERN = re.compile(
    r"""
      (?P<url>https?://[^\s{}\\$'"<>`]+)
    | (?P<path>(?<![\w\\])(?:[A-Za-z]:|\\\\[\w.-]+)\\\w[^\s{}$]*(?![{]))
    | (?P<command>\\[A-Za-z]+\*?)
    | (?P<escape>\\.)
    | (?P<dollar>\$\$?)
    | (?P<brace>[{}])
    | (?P<script>[_^])
    | (?P<tie>~)
    | (?P<quote>``|''|`|')
    | (?P<dash>(?<![-<!])---?(?![->]))
    | (?P<wrapper>(?<![A-Za-z\\_])(?:WRAPPERS)(?=\{))
    | (?P<greek>(?<![A-Za-z\\_])(?:GREEK|nabla|ell|partial)(?=[_^][{\d*]|[_^][A-Za-z](?!\w)))
    | (?P<word>(?<![\w\\-])(?:WORDS)(?![\w-])|(?<=\})(?:right|left)arrow\b|(?<=\d)times\b)
    """.replace("WRAPPERS", "|".join(sorted(symbols.WRAPPERS_WITHOUT_BACKSLASH)))
    .replace("GREEK", "|".join(symbols.GREEK))
    .replace("WORDS", "|".join(sorted(symbols.SYMBOLS_WITHOUT_BACKSLASH))),
    re.VERBOSE | re.DOTALL,
)

# Groups nested deeper are shown without their mark-up; recursion has to end.
MAX_DEPTH = 30
MARKUP_DELETION = str.maketrans("", "", "{}\\$")
BRACE_GROUP = re.compile(r"\{[^{}]*\}")
TWO_WORDS = re.compile(r"(?<![\\A-Za-z])[A-Za-z]{3,},? +(?:[a-z]{1,2} +)?[A-Za-z]{3,}")
OPERATOR = re.compile(r"[-=<>+*/|~≤≥≈×±]")
# Outside of formulas: x^2, 10^-3, L_2, s_t, but not file_name or π_0.5.
BARE_SUPERSCRIPT = re.compile(r"\^([-+−]?\d+(?!(?!times\b)\w|\.\d)|[A-Za-z*](?!\w))")
BARE_SUBSCRIPT = re.compile(r"_(\d{1,2}|[A-Za-z])(?!\w|\.\d)")
LONE_LETTER = re.compile(r"(?:^|[\W\d_])[^\W\d_]")
SINGLE_QUOTED = re.compile(r"`([^`']{1,80})'(?!\w)")
OPTIONAL_SPACE = re.compile(r"\s{0,8}")
ATOM_PATTERN = re.compile(r"[\w.*′†‡°∞]*")
WORDLIKE = re.compile(r"[^{}\s\"':,]{1,30}")


class Span(NamedTuple):
    """A part of the text: where it ends, whether it is a formula, how deeply it is nested."""

    end: int
    math: bool
    depth: int

    def inner(self, end: int, *, math: bool | None = None) -> Span:
        """Return a span one level deeper, which is a formula if this one is."""
        return Span(end, self.math if math is None else math, self.depth + 1)


# What to show for a token, and the position to go on from.
Output = tuple[str, int]

# Stands for a dropped reference until `render` removes it with its brackets or space. Cleaned text
# does not contain it.
DROPPED_MARK = "\x00"
DROPPED_REFERENCE = re.compile(r"[(\[]\x00+[)\]]|\s\x00+(?=\s*[.,;:)\]])")


class BaseRenderer(ABC):
    """A text and the rules for its tokens: a method `render_<token>` for each of TOKEN_PATTERN."""

    # The search for the end of a formula stops here.
    MAX_FORMULA_CHARS = 1500

    def __init__(self, text: str) -> None:
        self.text = text
        self.closing_braces = matching_braces(text)

    def render(self) -> str:
        shown = self.render_range(0, Span(len(self.text), math=False, depth=0))
        return DROPPED_REFERENCE.sub("", shown).replace(DROPPED_MARK, "")

    def render_range(self, start: int, span: Span) -> str:
        """Render from a position to the end of the span."""
        if span.depth > MAX_DEPTH:
            return self.text[start : span.end].translate(MARKUP_DELETION)
        parts: list[str] = []
        position = start
        while token := TOKEN_PATTERN.search(self.text, position, span.end):
            parts.append(self.text[position : token.start()])
            shown, position = self.render_token(token, span)
            parts.append(shown)
        parts.append(self.text[position : span.end])
        return "".join(parts)

    def render_token(self, token: re.Match[str], span: Span) -> Output:
        output: Output = getattr(self, f"render_{token.lastgroup}")(token, span)
        return output

    @abstractmethod
    def render_command(self, token: re.Match[str], span: Span) -> Output:
        r"""Render `\name` and its arguments."""

    @abstractmethod
    def render_escape(self, token: re.Match[str], span: Span) -> Output:
        r"""Render a backslash before anything but a letter."""

    @abstractmethod
    def render_wrapper(self, token: re.Match[str], span: Span) -> Output:
        """Render a command whose backslash an API has removed, such as text{…}."""

    def char_before(self, position: int) -> str:
        return self.text[position - 1 : position] if position else ""

    def char_after(self, position: int, span: Span) -> str:
        return self.text[position : min(position + 1, span.end)]

    def render_url(self, token: re.Match[str], span: Span) -> Output:
        return token.group(), token.end()

    def render_path(self, token: re.Match[str], span: Span) -> Output:
        r"""Keep a Windows path; in a formula it is a function, as in f:\mathcal{X}."""
        if span.math:
            return token.group()[:2], token.start() + 2
        return token.group(), token.end()

    def render_dollar(self, token: re.Match[str], span: Span) -> Output:
        """Render a formula, or keep the sign of an amount of money."""
        mark, start = token.group(), token.end()
        if span.math:
            return "", start
        limit = min(span.end, start + self.MAX_FORMULA_CHARS)
        close = self.text.find(mark, start, limit)
        while close > start and self.text[close - 1] == "\\":
            close = self.text.find(mark, close + 1, limit)
        following = self.char_after(close + len(mark), span)
        if close < 0 or not is_formula(self.text[start:close], following):
            return mark, start
        return self.render_range(start, span.inner(close, math=True)), close + len(mark)

    def render_tie(self, token: re.Match[str], span: Span) -> Output:
        """Render a non-breaking space, or keep a ~ that means "about" or is in a range."""
        before, after = self.char_before(token.start()), self.char_after(token.end(), span)
        is_range = before.isdigit() and after.isdigit()
        is_literal = is_range or not re.match(r"[\w.,:;)\]}%!?'\"$]", before)
        return "~" if is_literal and not span.math else " ", token.end()

    def render_dash(self, token: re.Match[str], span: Span) -> Output:
        """Render an en or em dash, but keep a command-line flag such as --help."""
        dashes = token.group()
        starts_word = bool(re.match(r"[\s(\"'`]?$", self.char_before(token.start())))
        is_flag = dashes == "--" and starts_word and self.char_after(token.end(), span).isalpha()
        if span.math or is_flag:
            return dashes, token.end()
        return "—" if dashes == "---" else "–", token.end()

    def render_quote(self, token: re.Match[str], span: Span) -> Output:
        mark, start = token.group(), token.start()
        if span.math:
            return mark.replace("'", "′"), token.end()
        if mark == "``":
            return "“", token.end()
        if mark == "''":
            is_opening = (
                not self.char_before(start).strip() and self.char_after(token.end(), span).isalnum()
            )
            return "“" if is_opening else "”", token.end()
        quoted = mark == "`" and SINGLE_QUOTED.match(self.text, start, span.end)
        if quoted and not self.char_before(start).isalnum():
            content = self.render_range(quoted.start(1), span.inner(quoted.end(1)))
            return f"‘{content}’", quoted.end()
        return mark, token.end()

    def render_greek(self, token: re.Match[str], span: Span) -> Output:
        """Render a Greek letter whose backslash an API has removed, with its script."""
        shown, position = self.render_script_at(token.end(), span)
        return symbols.SYMBOLS[token.group()] + shown, position

    def render_word(self, token: re.Match[str], span: Span) -> Output:
        """Render a symbol whose backslash an API has removed, such as rightarrow."""
        end = token.end()
        if self.char_before(token.start()) == "}":
            end = self.skip_space(end, span)
        return symbols.SYMBOLS[token.group()], end

    def render_brace(self, token: re.Match[str], span: Span) -> Output:
        start, content_start = token.start(), token.end()
        close = self.closing_braces.get(start, span.end)
        if close < span.end and (span.math or self.is_markup(start, close, span)):
            return self.render_range(content_start, span.inner(close)), close + 1
        return "" if span.math else token.group(), content_start

    def is_markup(self, start: int, close: int, span: Span) -> bool:
        r"""Return whether braces are TeX, as in {\bf so} or {L}ong, not a set or code."""
        if self.text[start + 1] == "\\":
            return True
        if not (word := WORDLIKE.fullmatch(self.text, start + 1, close)):
            return False
        if re.match(r"[A-Za-z0-9_^-]", self.char_after(close + 1, span)):
            return True
        keeps_case = word.group().isalpha() and (close - start == 2 or not word.group().islower())
        return keeps_case and bool(re.match(r"[A-Za-z-]", self.char_before(start)))

    def render_script(self, token: re.Match[str], span: Span) -> Output:
        """Render a sub- or superscript; outside of formulas, keep what may be a file_name."""
        start = token.start()
        if span.math:
            return self.render_script_at(start, span)
        before = self.char_before(start)
        if self.text[start + 1 : start + 2] == "{":
            braced = self.closing_braces.get(start + 1, span.end) < span.end and before.strip()
            return self.render_script_at(start, span) if braced else (token.group(), token.end())
        if token.group() == "^":
            bare = BARE_SUPERSCRIPT.match(self.text, start, span.end)
            has_base = bool(re.match(r"[\w)\]}|]", before))
        else:
            bare = BARE_SUBSCRIPT.match(self.text, start, span.end)
            last_two = self.text[max(0, start - 2) : start]
            has_base = before == "}" or bool(LONE_LETTER.fullmatch(last_two))
        if bare and has_base:
            return self.format_script(token.group(), bare.group(1)), bare.end()
        return token.group(), token.end()

    def render_script_at(self, position: int, span: Span) -> Output:
        mark = self.text[position]
        content, end = self.render_argument(position + 1, span.inner(span.end, math=True))
        return self.format_script(mark, content.strip()), end

    def render_argument(self, position: int, span: Span) -> Output:
        """Render what a command or script applies to: a group, a command or one character."""
        position = self.skip_space(position, span)
        if position >= span.end or span.depth > MAX_DEPTH:
            return "", position
        first = self.text[position]
        if first == "{":
            close = self.closing_braces.get(position, span.end)
            if close >= span.end:
                return "", position + 1
            return self.render_range(position + 1, span.inner(close)), close + 1
        if first == "\\" and (token := TOKEN_PATTERN.match(self.text, position, span.end)):
            return self.render_token(token, span.inner(span.end))
        return ("" if first == "}" else first), position + (first != "}")

    def skip_space(self, position: int, span: Span) -> int:
        space = OPTIONAL_SPACE.match(self.text, position, span.end)
        return space.end() if space else position

    def raw_argument(self, position: int, span: Span) -> Output | None:
        """Return the TeX code between the braces that open at this position, None without any."""
        close = self.closing_braces.get(position, span.end)
        if close >= span.end:
            return None
        return self.text[position + 1 : close], close + 1

    @staticmethod
    def format_script(mark: str, content: str) -> str:
        """Return a script in Unicode's own characters or, where it has none, after ^ or _."""
        if not content:
            return ""
        is_superscript = mark == "^"
        if is_superscript and all(char in symbols.INHERENT_SUPERSCRIPTS for char in content):
            return "".join(symbols.INHERENT_SUPERSCRIPTS[char] for char in content)
        scripts = symbols.SUPERSCRIPTS if is_superscript else symbols.SUBSCRIPTS
        letter_count = sum(char.isalpha() for char in content)
        # Longer words are hard to read in raised or lowered letters.
        is_short = letter_count == 0 or (letter_count <= 2 and len(content) <= 4)
        if is_short and all(char in scripts for char in content):
            return "".join(scripts[char] for char in content)
        return f"{mark}{content}" if ATOM_PATTERN.fullmatch(content) else f"{mark}({content})"


def matching_braces(text: str) -> dict[int, int]:
    """Return the position of the closing brace for each opening one that has one."""
    closing: dict[int, int] = {}
    open_positions: list[int] = []
    for match in re.finditer(r"\\.|[{}]", text, re.DOTALL):
        if match.group() == "{":
            open_positions.append(match.start())
        elif match.group() == "}" and open_positions:
            closing[open_positions.pop()] = match.start()
    return closing


def is_formula(content: str, following: str) -> bool:
    """Return whether the text between two dollar signs is a formula, not "$5 and $10"."""
    if not content.strip() or "\n\n" in content or TWO_WORDS.search(BRACE_GROUP.sub("", content)):
        return False
    if re.search(r"[\\^_]", content):
        return not (content[0].isdigit() and content[-1].isspace())
    if OPERATOR.fullmatch(content):
        return True
    if following.isdigit() or content[0].isspace() or content[-1].isspace():
        return False
    has_space = re.search(r"\s", content)
    has_no_words = not content[0].isdigit() and not re.search(r"[A-Za-z]{3}", content)
    return not has_space or has_no_words or bool(OPERATOR.search(content))
