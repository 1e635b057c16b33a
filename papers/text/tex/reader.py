"""One text with islands of TeX, read from left to right."""

from __future__ import annotations

import re
from typing import NamedTuple

from papers.text.tex import commands, symbols

TOKEN = re.compile(
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
    """.replace("WRAPPERS", "|".join(sorted(symbols.BARE_WRAPPERS)))
    .replace("GREEK", "|".join(symbols.GREEK))
    .replace("WORDS", "|".join(sorted(symbols.BARE_SYMBOLS))),
    re.VERBOSE | re.DOTALL,
)

# Deeper than any formula.
DEEPEST = 30
# What stays of a formula that is too deep.
PLAIN = str.maketrans("", "", "{}\\$")
GROUP = re.compile(r"\{[^{}]*\}")
TWO_WORDS = re.compile(r"(?<![\\A-Za-z])[A-Za-z]{3,},? +(?:[a-z]{1,2} +)?[A-Za-z]{3,}")
OPERATOR = re.compile(r"[-=<>+*/|~≤≥≈×±]")
# Outside a formula: x^2, 10^-3, L_2, s_t, but not file_name or π_0.5.
BARE_SUPERSCRIPT = re.compile(r"\^([-+−]?\d+(?!(?!times\b)\w|\.\d)|[A-Za-z*](?!\w))")
BARE_SUBSCRIPT = re.compile(r"_(\d{1,2}|[A-Za-z])(?!\w|\.\d)")
LONE_LETTER = re.compile(r"(?:^|[\W\d_])[^\W\d_]")
SINGLE_QUOTED = re.compile(r"`([^`']{1,80})'(?!\w)")
OPTION = re.compile(r"\[[^\]\n]{0,200}\]")
SPACING = re.compile(r"\s{0,8}")
ATOM = re.compile(r"[\w.*′†‡°∞]*")
WORDLIKE = re.compile(r"[^{}\s\"':,]{1,30}")


class Span(NamedTuple):
    """A stretch of the text: where it ends, whether it is a formula, how deep it lies."""

    end: int
    math: bool
    depth: int

    def inner(self, end: int, *, math: bool | None = None) -> Span:
        return Span(end, self.math if math is None else math, self.depth + 1)


# What to show for a token, and where to go on.
Shown = tuple[str, int]


class Reader:
    # Longer than any formula in a sentence.
    LONGEST_FORMULA = 1500

    def __init__(self, text: str) -> None:
        self.text = text
        self.closing = matching_braces(text)

    def read(self) -> str:
        shown = self.between(0, Span(len(self.text), math=False, depth=0))
        shown = re.sub(r"[(\[]\x00+[)\]]|\s\x00+(?=\s*[.,;:)\]])", "", shown)
        return shown.replace(commands.DROPPED, "")

    def between(self, start: int, span: Span) -> str:
        """What stands from start to the end of the span."""
        if span.depth > DEEPEST:
            return self.text[start : span.end].translate(PLAIN)
        out: list[str] = []
        position = start
        while token := TOKEN.search(self.text, position, span.end):
            out.append(self.text[position : token.start()])
            shown, position = self.shown(token, span)
            out.append(shown)
        out.append(self.text[position : span.end])
        return "".join(out)

    def shown(self, token: re.Match[str], span: Span) -> Shown:
        reading: Shown = getattr(self, f"read_{token.lastgroup}")(token, span)
        return reading

    def before(self, position: int) -> str:
        return self.text[position - 1 : position] if position else ""

    def after(self, position: int, span: Span) -> str:
        return self.text[position : min(position + 1, span.end)]

    # Tokens that are mostly prose.

    def read_url(self, token: re.Match[str], span: Span) -> Shown:
        return token.group(), token.end()

    def read_path(self, token: re.Match[str], span: Span) -> Shown:
        """A Windows path; in a formula it is f:\\mathcal{X}."""
        if span.math:
            return token.group()[:2], token.start() + 2
        return token.group(), token.end()

    def read_dollar(self, token: re.Match[str], span: Span) -> Shown:
        """The start of a formula, or money."""
        mark, start = token.group(), token.end()
        if span.math:
            return "", start
        limit = min(span.end, start + self.LONGEST_FORMULA)
        close = self.text.find(mark, start, limit)
        while close > start and self.text[close - 1] == "\\":
            close = self.text.find(mark, close + 1, limit)
        following = self.after(close + len(mark), span)
        if close < 0 or not is_formula(self.text[start:close], following):
            return mark, start
        return self.between(start, span.inner(close, math=True)), close + len(mark)

    def read_tie(self, token: re.Match[str], span: Span) -> Shown:
        """A space that may not break, or "about"."""
        before, after = self.before(token.start()), self.after(token.end(), span)
        within_range = before.isdigit() and after.isdigit()
        about = within_range or not re.match(r"[\w.,:;)\]}%!?'\"$]", before)
        return "~" if about and not span.math else " ", token.end()

    def read_dash(self, token: re.Match[str], span: Span) -> Shown:
        dashes = token.group()
        starts = bool(re.match(r"[\s(\"'`]?$", self.before(token.start())))
        flag = dashes == "--" and starts and self.after(token.end(), span).isalpha()
        if span.math or flag:
            return dashes, token.end()
        return "—" if dashes == "---" else "–", token.end()

    def read_quote(self, token: re.Match[str], span: Span) -> Shown:
        mark, start = token.group(), token.start()
        if span.math:
            return mark.replace("'", "′"), token.end()
        if mark == "``":
            return "“", token.end()
        if mark == "''":
            opens = not self.before(start).strip() and self.after(token.end(), span).isalnum()
            return "“" if opens else "”", token.end()
        quoted = mark == "`" and SINGLE_QUOTED.match(self.text, start, span.end)
        if quoted and not self.before(start).isalnum():
            inside = self.between(quoted.start(1), span.inner(quoted.end(1)))
            return f"‘{inside}’", quoted.end()
        return mark, token.end()

    # What an API left when it ate the backslashes.

    def read_wrapper(self, token: re.Match[str], span: Span) -> Shown:
        if self.closing.get(token.end(), span.end) >= span.end:
            return token.group(), token.end()
        return commands.read(self, token.group(), token.end(), span)

    def read_greek(self, token: re.Match[str], span: Span) -> Shown:
        shown, position = self.script(token.end(), span)
        return symbols.SYMBOLS[token.group()] + shown, position

    def read_word(self, token: re.Match[str], span: Span) -> Shown:
        end = token.end()
        if self.before(token.start()) == "}":
            end = self.skip_space(end, span)
        return symbols.SYMBOLS[token.group()], end

    # Groups and scripts.

    def read_brace(self, token: re.Match[str], span: Span) -> Shown:
        start, inside = token.start(), token.end()
        close = self.closing.get(start, span.end)
        if span.math:
            if close >= span.end:
                return "", inside
            return self.between(inside, span.inner(close)), close + 1
        if close < span.end and self.is_markup(start, close, span):
            return self.between(inside, span.inner(close)), close + 1
        return token.group(), inside

    def is_markup(self, start: int, close: int, span: Span) -> bool:
        """Braces of TeX, as in {\\bf so} or {L}ong, and not a set or a piece of code."""
        if self.text[start + 1] == "\\":
            return True
        if not (word := WORDLIKE.fullmatch(self.text, start + 1, close)):
            return False
        if re.match(r"[A-Za-z0-9_^-]", self.after(close + 1, span)):
            return True
        name = word.group().isalpha() and (close - start == 2 or not word.group().islower())
        return name and bool(re.match(r"[A-Za-z-]", self.before(start)))

    def read_script(self, token: re.Match[str], span: Span) -> Shown:
        """A sub- or superscript; outside a formula only where it cannot be a file_name."""
        start = token.start()
        if span.math:
            return self.script(start, span)
        before = self.before(start)
        if self.text[start + 1 : start + 2] == "{":
            braced = self.closing.get(start + 1, span.end) < span.end and before.strip()
            return self.script(start, span) if braced else (token.group(), token.end())
        if token.group() == "^":
            bare = BARE_SUPERSCRIPT.match(self.text, start, span.end)
            fits = bool(re.match(r"[\w)\]}|]", before))
        else:
            bare = BARE_SUBSCRIPT.match(self.text, start, span.end)
            last_two = self.text[max(0, start - 2) : start]
            fits = before == "}" or bool(LONE_LETTER.fullmatch(last_two))
        if bare and fits:
            return self.scripted(token.group(), bare.group(1)), bare.end()
        return token.group(), token.end()

    def script(self, position: int, span: Span) -> Shown:
        mark = self.text[position]
        content, end = self.argument(position + 1, span.inner(span.end, math=True))
        return self.scripted(mark, content.strip()), end

    def argument(self, position: int, span: Span) -> Shown:
        """What a command or script applies to: a group, another command, or one character."""
        position = self.skip_space(position, span)
        if position >= span.end or span.depth > DEEPEST:
            return "", position
        first = self.text[position]
        if first == "{":
            close = self.closing.get(position, span.end)
            if close >= span.end:
                return "", position + 1
            return self.between(position + 1, span.inner(close)), close + 1
        if first == "\\" and (token := TOKEN.match(self.text, position, span.end)):
            return self.shown(token, span.inner(span.end))
        return ("" if first == "}" else first), position + (first != "}")

    def skip_space(self, position: int, span: Span) -> int:
        found = SPACING.match(self.text, position, span.end)
        return found.end() if found else position

    def raw_argument(self, position: int, span: Span) -> Shown | None:
        """What stands unread in the braces at this very place."""
        close = self.closing.get(position, span.end)
        if close >= span.end:
            return None
        return self.text[position + 1 : close], close + 1

    @staticmethod
    def scripted(mark: str, content: str) -> str:
        """A sub- or superscript in Unicode's own signs or, where it has none, after ^ or _."""
        if not content:
            return ""
        raised = mark == "^"
        if raised and all(each in symbols.RAISED for each in content):
            return "".join(symbols.RAISED[each] for each in content)
        signs = symbols.SUPERSCRIPTS if raised else symbols.SUBSCRIPTS
        letters = sum(each.isalpha() for each in content)
        if (
            letters <= 2
            and (letters == 0 or len(content) <= 4)
            and all(e in signs for e in content)
        ):
            return "".join(signs[each] for each in content)
        return f"{mark}{content}" if ATOM.fullmatch(content) else f"{mark}({content})"

    # Commands.

    def read_command(self, token: re.Match[str], span: Span) -> Shown:
        name = token.group()[1:]
        starred = name.endswith("*") and not commands.is_known(name[:-1])
        return commands.read(self, name.rstrip("*"), token.end() - starred, span)

    def read_escape(self, token: re.Match[str], span: Span) -> Shown:
        return commands.escape(self, token.group()[1], token.end(), span)


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
    if not content.strip() or "\n\n" in content or TWO_WORDS.search(GROUP.sub("", content)):
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
