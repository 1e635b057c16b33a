r"""Turn the TeX and HTML entities of titles and abstracts into readable Unicode (pure).

Abstracts are prose with some TeX, often broken: a stray `%`, an unclosed brace, a `$` that means
money, a macro that only its authors have, or TeX whose backslashes an API has removed. So this is
not a TeX engine. It renders the TeX that it recognises and leaves the prose unchanged; of other TeX
it keeps the letters and drops the mark-up. It takes time linear in the length of any text.
"""

from __future__ import annotations

import html
import re
import unicodedata

from papers.text.tex import symbols
from papers.text.tex.renderer import TexRenderer

HTML_ENTITY_PATTERN = re.compile(
    r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});"
)
# Control characters, direction marks, lone surrogates and zero-width characters.
UNPRINTABLE = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069"
    "\ufeff\ufff9-\ufffb\ud800-\udfff]"
)
# A text without a match has no TeX, which saves reading most texts.
TEX_HINT_PATTERN = re.compile(
    rf"[\\$~^_{{}}`]|''|--|(?<![\w\\-])(?:{'|'.join(sorted(symbols.SYMBOLS_WITHOUT_BACKSLASH))})(?![\w-])|\dtimes\b"
)


def latex_to_text(text: str) -> str:
    """Return the text on one line, as a person would write it without TeX."""
    text = UNPRINTABLE.sub("", unescape_html(text))
    if TEX_HINT_PATTERN.search(text):
        text = TexRenderer(text).render()
    return unicodedata.normalize("NFC", " ".join(text.split()))


def unescape_html(text: str) -> str:
    """Replace HTML entities, also where `&` was escaped several times."""
    if "&" not in text:
        return text
    text = re.sub(r"&(?:amp;)+", "&", text)
    return HTML_ENTITY_PATTERN.sub(lambda entity: html.unescape(entity.group()), text)
