"""How a person uses a page in the browser tests: by mouse, or by keyboard alone."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Locator, Page

# A target that takes more presses of Tab than this counts as unreachable.
MAX_KEY_PRESSES = 120

# Return whether the focus is visible: outlined, on the screen, and not covered. A chip's checkbox is
# hidden; its label carries the outline.
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
        """Click the label of a checkbox or radio button."""
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
    """Use Tab, Enter, Space, arrows and letters only; fail where the focus is not visible."""

    def tab_to(self, target: Locator) -> None:
        goal = target.element_handle()
        for _ in range(MAX_KEY_PRESSES):
            if goal.evaluate("element => element === document.activeElement"):
                assert goal.evaluate(FOCUS_IS_VISIBLE_JS), f"the focus is not visible: {target}"
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"Tab does not reach {target}")

    def press(self, target: Locator) -> None:
        self.tab_to(target)
        self.page.keyboard.press("Enter")

    def check_option(self, name: str, value: str) -> None:
        """Check an option: Tab reaches a radio group once, and arrows move within it."""
        option = self.page.locator(option_selector(name, value))
        if option.get_attribute("type") == "checkbox":
            self.tab_to(option)
            self.page.keyboard.press("Space")
            return
        checked = self.page.locator(f"[name='{name}']:checked")
        self.tab_to(checked if checked.count() else self.page.locator(f"[name='{name}']").first)
        self.page.keyboard.press("Space")
        for _ in range(MAX_KEY_PRESSES):
            if option.is_checked():
                return
            self.page.keyboard.press("ArrowRight")
        raise AssertionError(f"no arrow key reaches {value}")

    def fill(self, target: Locator, text: str) -> None:
        self.tab_to(target)
        self.page.keyboard.press("Control+a")
        self.page.keyboard.type(text)

    def fill_date(self, target: Locator, day: Any) -> None:
        """Type a date in the order of the en-US date field: month, day, year."""
        self.tab_to(target)
        self.page.keyboard.type(f"{day:%m%d%Y}")

    def select(self, target: Locator, label: str) -> None:
        self.tab_to(target)
        self.page.keyboard.type(label)


def option_selector(name: str, value: str) -> str:
    return f"[name='{name}'][value='{value}']"
