"""The ways in which a person uses a page, for the browser tests: with a mouse, or keys alone."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Locator, Page

# Nobody presses Tab more often than this to get anywhere.
MAX_KEY_PRESSES = 120

# Whether it can be seen where the focus is: marked, on the screen, and under nothing else. A chip's
# checkbox is invisible; what is marked is the word beside it.
FOCUS_IS_VISIBLE_JS = """focused => {
  const chip = focused.matches('.chip input, .segments input');
  const shown = chip ? focused.nextElementSibling : focused;
  const style = getComputedStyle(shown);
  const box = shown.getClientRects()[0];
  const above = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
  const marked = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 1;
  return marked && Boolean(above) && (shown.contains(above) || focused.contains(above));
}"""


class MouseUser:
    def __init__(self, page: Page) -> None:
        self.page = page

    def press(self, target: Locator) -> None:
        target.click()

    def check_option(self, name: str, value: str) -> None:
        """A checkbox or radio button, by the word beside it."""
        self.page.locator(f"label:has({option_selector(name, value)})").click()

    def fill(self, target: Locator, text: str) -> None:
        target.fill(text)

    def fill_date(self, target: Locator, day: Any) -> None:
        target.fill(day.isoformat())

    def select(self, target: Locator, label: str) -> None:
        target.select_option(label=label)

    def link(self, name: str) -> Locator:
        return self.page.get_by_role("link", name=name).first

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name).first


class KeyboardUser(MouseUser):
    """Tab, Enter, Space, arrows and letters; it fails where the focus is lost from sight."""

    def tab_to(self, target: Locator) -> None:
        goal = target.element_handle()
        for _ in range(MAX_KEY_PRESSES):
            if goal.evaluate("each => each === document.activeElement"):
                assert goal.evaluate(FOCUS_IS_VISIBLE_JS), f"the focus cannot be seen: {target}"
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"the keyboard does not get to {target}")

    def press(self, target: Locator) -> None:
        self.tab_to(target)
        self.page.keyboard.press("Enter")

    def check_option(self, name: str, value: str) -> None:
        """Radio buttons are one stop: the one that is on, or the first; arrows go on from there."""
        one = self.page.locator(option_selector(name, value))
        if one.get_attribute("type") == "checkbox":
            self.tab_to(one)
            self.page.keyboard.press("Space")
            return
        on = self.page.locator(f"[name='{name}']:checked")
        self.tab_to(on if on.count() else self.page.locator(f"[name='{name}']").first)
        self.page.keyboard.press("Space")
        for _ in range(MAX_KEY_PRESSES):
            if one.is_checked():
                return
            self.page.keyboard.press("ArrowRight")
        raise AssertionError(f"no arrow gets to {value}")

    def fill(self, target: Locator, text: str) -> None:
        self.tab_to(target)
        self.page.keyboard.press("Control+a")
        self.page.keyboard.type(text)

    def fill_date(self, target: Locator, day: Any) -> None:
        """As an American keyboard's reader sees the field: month, day, year."""
        self.tab_to(target)
        self.page.keyboard.type(f"{day:%m%d%Y}")

    def select(self, target: Locator, label: str) -> None:
        self.tab_to(target)
        self.page.keyboard.type(label)


def option_selector(name: str, value: str) -> str:
    return f"[name='{name}'][value='{value}']"
