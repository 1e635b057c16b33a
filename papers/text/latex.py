r"""TeX and HTML entities in titles and abstracts become readable Unicode (pure: no Django).

Abstracts are prose with islands of TeX, often broken: a stray `%`, an unclosed brace, a `$` that
means money, a macro only its authors know, or TeX whose backslashes an API has eaten. So this is
no TeX engine: it looks for the islands, leaves the prose alone, and where it does not understand it
keeps the letters and drops the mark-up. Linear in the length of the text, whatever the text.
"""

from __future__ import annotations

import html
import re
import unicodedata

from papers.text.tex import symbols
from papers.text.tex.reader import TexRenderer

HTML_ENTITY_PATTERN = re.compile(
    r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});"
)
# Controls, what turns the direction of writing, halves of characters, and the invisible.
UNPRINTABLE = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069"
    "\ufeff\ufff9-\ufffb\ud800-\udfff]"
)
# A text without any of these has no TeX in it.
TEX_HINT_PATTERN = re.compile(
    rf"[\\$~^_{{}}`]|''|--|(?<![\w\\-])(?:{'|'.join(sorted(symbols.SYMBOLS_WITHOUT_BACKSLASH))})(?![\w-])|\dtimes\b"
)


def latex_to_text(text: str) -> str:
    """The text as a person would write it without TeX, on one line."""
    text = UNPRINTABLE.sub("", unescape_html(text))
    if TEX_HINT_PATTERN.search(text):
        text = TexRenderer(text).render()
    return unicodedata.normalize("NFC", " ".join(text.split()))


def unescape_html(text: str) -> str:
    """HTML entities as characters, however often they were escaped on the way."""
    if "&" not in text:
        return text
    text = re.sub(r"&(?:amp;)+", "&", text)
    return HTML_ENTITY_PATTERN.sub(lambda entity: html.unescape(entity.group()), text)
