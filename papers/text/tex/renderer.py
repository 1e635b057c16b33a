"""Render prose with some TeX: the rules for tokens together with those for commands."""

from __future__ import annotations

import re

from papers.text.tex import commands
from papers.text.tex.base import BaseRenderer, Output, Span


class TexRenderer(BaseRenderer):
    """Renders TeX as plain text, with the TeX commands that commands.py knows."""

    def render_command(self, token: re.Match[str], span: Span) -> Output:
        name = token.group()[1:]
        # The star of \section* is part of the command; after an unknown macro it is part of the text.
        keeps_star = name.endswith("*") and not commands.is_known_command(name[:-1])
        return commands.render_command(self, name.rstrip("*"), token.end() - keeps_star, span)

    def render_escape(self, token: re.Match[str], span: Span) -> Output:
        return commands.render_escape(self, token.group()[1], token.end(), span)

    def render_wrapper(self, token: re.Match[str], span: Span) -> Output:
        if self.closing_braces.get(token.end(), span.end) >= span.end:
            return token.group(), token.end()
        return commands.render_command(self, token.group(), token.end(), span)
