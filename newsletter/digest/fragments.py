"""Render a template once, and fill in the personal parts for each reader."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import uuid4

from django.template.loader import render_to_string


class SplitTemplate:
    """A rendered template, split at its placeholders, so that filling it is one string join."""

    def __init__(
        self, template_name: str, context: Mapping[str, Any], placeholders: Sequence[str]
    ) -> None:
        secret = uuid4().hex  # no paper can contain a placeholder
        filled = {name: f"{secret}{name}{secret}" for name in placeholders}
        engine = "html" if template_name.endswith(".html") else "text"
        whole = render_to_string(template_name, {**context, **filled}, using=engine)
        self.parts = re.split(f"{secret}(\\w+){secret}", whole)

    def fill(self, values: Mapping[str, str]) -> str:
        parts = self.parts.copy()
        parts[1::2] = [values[name] for name in parts[1::2]]
        return "".join(parts)
