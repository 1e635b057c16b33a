"""Templates that are rendered once for all readers and filled with each reader's own values."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import uuid4

from django.template.loader import render_to_string


class SplitTemplate:
    """A rendered template, split at its placeholders.

    Rendering is slow and done once; filling is fast and done for each of thousands of readers.
    """

    def __init__(
        self, template_name: str, context: Mapping[str, Any], placeholders: Sequence[str]
    ) -> None:
        secret = uuid4().hex  # a paper's text must not be able to contain a placeholder
        filled = {name: f"{secret}{name}{secret}" for name in placeholders}
        engine = "html" if template_name.endswith(".html") else "text"
        whole = render_to_string(template_name, {**context, **filled}, using=engine)
        self.parts = re.split(f"{secret}(\\w+){secret}", whole)

    def fill(self, values: Mapping[str, str]) -> str:
        """Return the text with a value in place of each placeholder; values are not escaped."""
        parts = self.parts.copy()
        parts[1::2] = [values[name] for name in parts[1::2]]
        return "".join(parts)
