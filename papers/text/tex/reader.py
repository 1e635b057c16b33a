"""One text with islands of TeX, read from left to right."""

from __future__ import annotations

import re
from typing import NamedTuple

from papers.text.tex import commands, symbols

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

# Deeper than any formula.
MAX_DEPTH = 30
# What stays of a formula that is too deep.
MARKUP_DELETION = str.maketrans("", "", "{}\\$")
BRACE_GROUP = re.compile(r"\{[^{}]*\}")
TWO_WORDS = re.compile(r"(?<![\\A-Za-z])[A-Za-z]{3,},? +(?:[a-z]{1,2} +)?[A-Za-z]{3,}")
OPERATOR = re.compile(r"[-=<>+*/|~≤≥≈×±]")
# Outside a formula: x^2, 10^-3, L_2, s_t, but not file_name or π_0.5.
BARE_SUPERSCRIPT = re.compile(r"\^([-+−]?\d+(?!(?!times\b)\w|\.\d)|[A-Za-z*](?!\w))")
BARE_SUBSCRIPT = re.compile(r"_(\d{1,2}|[A-Za-z])(?!\w|\.\d)")
LONE_LETTER = re.compile(r"(?:^|[\W\d_])[^\W\d_]")
SINGLE_QUOTED = re.compile(r"`([^`']{1,80})'(?!\w)")
OPTION = re.compile(r"\[[^\]\n]{0,200}\]")
OPTIONAL_SPACE = re.compile(r"\s{0,8}")
ATOM_PATTERN = re.compile(r"[\w.*′†‡°∞]*")
WORDLIKE = re.compile(r"[^{}\s\"':,]{1,30}")


class Span(NamedTuple):
    """A stretch of the text: where it ends, whether it is a formula, how deep it lies."""

    end: int
    math: bool
    depth: int

    def inner(self, end: int, *, math: bool | None = None) -> Span:
        return Span(end, self.math if math is None else math, self.depth + 1)


# What to show for a token, and where to go on.
Output = tuple[str, int]


class TexRenderer:
    # Longer than any formula in a sentence.
    MAX_FORMULA_CHARS = 1500

    def __init__(self, text: str) -> None:
        self.text = text
        self.closing_braces = matching_braces(text)

    def render(self) -> str:
        shown = self.render_range(0, Span(len(self.text), math=False, depth=0))
        shown = re.sub(r"[(\[]\x00+[)\]]|\s\x00+(?=\s*[.,;:)\]])", "", shown)
        return shown.replace(commands.DROPPED_MARK, "")

    def render_range(self, start: int, span: Span) -> str:
        """What stands from start to the end of the span."""
        if span.depth > MAX_DEPTH:
            return self.text[start : span.end].translate(MARKUP_DELETION)
        out: list[str] = []
        position = start
        while token := TOKEN_PATTERN.search(self.text, position, span.end):
            out.append(self.text[position : token.start()])
            shown, position = self.render_token(token, span)
            out.append(shown)
        out.append(self.text[position : span.end])
        return "".join(out)

    def render_token(self, token: re.Match[str], span: Span) -> Output:
        reading: Output = getattr(self, f"render_{token.lastgroup}")(token, span)
        return reading

    def char_before(self, position: int) -> str:
        return self.text[position - 1 : position] if position else ""

    def char_after(self, position: int, span: Span) -> str:
        return self.text[position : min(position + 1, span.end)]

    # Tokens that are mostly prose.

    def render_url(self, token: re.Match[str], span: Span) -> Output:
        return token.group(), token.end()

    def render_path(self, token: re.Match[str], span: Span) -> Output:
        """A Windows path; in a formula it is f:\\mathcal{X}."""
        if span.math:
            return token.group()[:2], token.start() + 2
        return token.group(), token.end()

    def render_dollar(self, token: re.Match[str], span: Span) -> Output:
        """The start of a formula, or money."""
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
        """A space that may not break, or "about"."""
        before, after = self.char_before(token.start()), self.char_after(token.end(), span)
        within_range = before.isdigit() and after.isdigit()
        about = within_range or not re.match(r"[\w.,:;)\]}%!?'\"$]", before)
        return "~" if about and not span.math else " ", token.end()

    def render_dash(self, token: re.Match[str], span: Span) -> Output:
        dashes = token.group()
        starts = bool(re.match(r"[\s(\"'`]?$", self.char_before(token.start())))
        flag = dashes == "--" and starts and self.char_after(token.end(), span).isalpha()
        if span.math or flag:
            return dashes, token.end()
        return "—" if dashes == "---" else "–", token.end()

    def render_quote(self, token: re.Match[str], span: Span) -> Output:
        mark, start = token.group(), token.start()
        if span.math:
            return mark.replace("'", "′"), token.end()
        if mark == "``":
            return "“", token.end()
        if mark == "''":
            opens = (
                not self.char_before(start).strip() and self.char_after(token.end(), span).isalnum()
            )
            return "“" if opens else "”", token.end()
        quoted = mark == "`" and SINGLE_QUOTED.match(self.text, start, span.end)
        if quoted and not self.char_before(start).isalnum():
            inside = self.render_range(quoted.start(1), span.inner(quoted.end(1)))
            return f"‘{inside}’", quoted.end()
        return mark, token.end()

    # What an API left when it ate the backslashes.

    def render_wrapper(self, token: re.Match[str], span: Span) -> Output:
        if self.closing_braces.get(token.end(), span.end) >= span.end:
            return token.group(), token.end()
        return commands.render_command(self, token.group(), token.end(), span)

    def render_greek(self, token: re.Match[str], span: Span) -> Output:
        shown, position = self.render_script_at(token.end(), span)
        return symbols.SYMBOLS[token.group()] + shown, position

    def render_word(self, token: re.Match[str], span: Span) -> Output:
        end = token.end()
        if self.char_before(token.start()) == "}":
            end = self.skip_space(end, span)
        return symbols.SYMBOLS[token.group()], end

    # Groups and scripts.

    def render_brace(self, token: re.Match[str], span: Span) -> Output:
        start, inside = token.start(), token.end()
        close = self.closing_braces.get(start, span.end)
        if span.math:
            if close >= span.end:
                return "", inside
            return self.render_range(inside, span.inner(close)), close + 1
        if close < span.end and self.is_markup(start, close, span):
            return self.render_range(inside, span.inner(close)), close + 1
        return token.group(), inside

    def is_markup(self, start: int, close: int, span: Span) -> bool:
        """Braces of TeX, as in {\\bf so} or {L}ong, and not a set or a piece of code."""
        if self.text[start + 1] == "\\":
            return True
        if not (word := WORDLIKE.fullmatch(self.text, start + 1, close)):
            return False
        if re.match(r"[A-Za-z0-9_^-]", self.char_after(close + 1, span)):
            return True
        name = word.group().isalpha() and (close - start == 2 or not word.group().islower())
        return name and bool(re.match(r"[A-Za-z-]", self.char_before(start)))

    def render_script(self, token: re.Match[str], span: Span) -> Output:
        """A sub- or superscript; outside a formula only where it cannot be a file_name."""
        start = token.start()
        if span.math:
            return self.render_script_at(start, span)
        before = self.char_before(start)
        if self.text[start + 1 : start + 2] == "{":
            braced = self.closing_braces.get(start + 1, span.end) < span.end and before.strip()
            return self.render_script_at(start, span) if braced else (token.group(), token.end())
        if token.group() == "^":
            bare = BARE_SUPERSCRIPT.match(self.text, start, span.end)
            fits = bool(re.match(r"[\w)\]}|]", before))
        else:
            bare = BARE_SUBSCRIPT.match(self.text, start, span.end)
            last_two = self.text[max(0, start - 2) : start]
            fits = before == "}" or bool(LONE_LETTER.fullmatch(last_two))
        if bare and fits:
            return self.format_script(token.group(), bare.group(1)), bare.end()
        return token.group(), token.end()

    def render_script_at(self, position: int, span: Span) -> Output:
        mark = self.text[position]
        content, end = self.render_argument(position + 1, span.inner(span.end, math=True))
        return self.format_script(mark, content.strip()), end

    def render_argument(self, position: int, span: Span) -> Output:
        """What a command or script applies to: a group, another command, or one character."""
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
        found = OPTIONAL_SPACE.match(self.text, position, span.end)
        return found.end() if found else position

    def raw_argument(self, position: int, span: Span) -> Output | None:
        """What stands unread in the braces at this very place."""
        close = self.closing_braces.get(position, span.end)
        if close >= span.end:
            return None
        return self.text[position + 1 : close], close + 1

    @staticmethod
    def format_script(mark: str, content: str) -> str:
        """A sub- or superscript in Unicode's own signs or, where it has none, after ^ or _."""
        if not content:
            return ""
        raised = mark == "^"
        if raised and all(each in symbols.INHERENT_SUPERSCRIPTS for each in content):
            return "".join(symbols.INHERENT_SUPERSCRIPTS[each] for each in content)
        signs = symbols.SUPERSCRIPTS if raised else symbols.SUBSCRIPTS
        letters = sum(each.isalpha() for each in content)
        if (
            letters <= 2
            and (letters == 0 or len(content) <= 4)
            and all(e in signs for e in content)
        ):
            return "".join(signs[each] for each in content)
        return f"{mark}{content}" if ATOM_PATTERN.fullmatch(content) else f"{mark}({content})"

    # Commands.

    def render_command(self, token: re.Match[str], span: Span) -> Output:
        name = token.group()[1:]
        starred = name.endswith("*") and not commands.is_known_command(name[:-1])
        return commands.render_command(self, name.rstrip("*"), token.end() - starred, span)

    def render_escape(self, token: re.Match[str], span: Span) -> Output:
        return commands.render_escape(self, token.group()[1], token.end(), span)


def matching_braces(text: str) -> dict[int, int]:
    """Where each group opens: where it closes."""
    closing: dict[int, int] = {}
    opened: list[int] = []
    for found in re.finditer(r"\\.|[{}]", text, re.DOTALL):
        if found.group() == "{":
            opened.append(found.start())
        elif found.group() == "}" and opened:
            closing[opened.pop()] = found.start()
    return closing


def is_formula(content: str, following: str) -> bool:
    """Whether what stands between two dollars is a formula, and not "$5 and $10"."""
    if not content.strip() or "\n\n" in content or TWO_WORDS.search(BRACE_GROUP.sub("", content)):
        return False
    if re.search(r"[\\^_]", content):
        return not (content[0].isdigit() and content[-1].isspace())
    if OPERATOR.fullmatch(content):
        return True
    if following.isdigit() or content[0].isspace() or content[-1].isspace():
        return False
    spaced = re.search(r"\s", content)
    wordless = not content[0].isdigit() and not re.search(r"[A-Za-z]{3}", content)
    return not spaced or wordless or bool(OPERATOR.search(content))
