"""What a page says to its reader: its text, and the attributes that browsers show or read aloud."""

import re
from html.parser import HTMLParser

SHOWN_ATTRIBUTES = {"title", "placeholder", "aria-label", "alt", "data-label"}
WITHOUT_END = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
# Scripts and styles are for the browser; an icon's name is drawn as a picture; an example of code is the same for all.
NOT_SAID = {"script", "style", "code", "pre"}
ICON = "material-symbols-outlined"


class PageReader(HTMLParser):
    """Collects in `said` what the fed page says."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.said: list[str] = []
        self._unheard: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        shown = [value for name, value in given.items() if name in SHOWN_ATTRIBUTES]
        if tag == "input" and given.get("type") in ("submit", "button", "reset"):
            shown.append(given.get("value", ""))
        self.said += shown
        if tag not in WITHOUT_END and (self._unheard or tag in NOT_SAID or ICON in given.get("class", "")):
            self._unheard.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if self._unheard and tag == self._unheard[-1]:
            self._unheard.pop()

    def handle_data(self, data: str) -> None:
        if not self._unheard:
            self.said.append(data)


def said_by(page: str) -> list[str]:
    """All that this page says, piece by piece."""
    reader = PageReader()
    reader.feed(page)
    return [text for piece in reader.said if (text := re.sub(r"\s+", " ", piece).strip())]
