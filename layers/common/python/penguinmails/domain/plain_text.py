"""The plain text of an HTML message, for readers and filters that want one beside it.

Read here rather than by the standard library's parser, which raises for some declarations and whose time grows with the
square of a broken text's length: HTML comes from customers, and in answers from anybody.
"""

import re
from html import unescape

# Every alternative takes possessively what it has seen, so that no text is looked at twice.
_TOKEN = re.compile(
    r"""
    <!--(?:(?!-->).)*+(?:-->)?
    | <[!?][^<>]*+>?
    | <(?:script|style)(?=[\s/>])[^<>]*+>(?:(?!</(?:script|style)).)*+
    | <(?P<end>/?)(?P<tag>[a-z][^\s/<>]*+)(?P<rest>(?:"[^"]*"|'[^']*'|[^<>"'])*+)>
    | (?P<text>[^<]++|<)
    """,
    re.IGNORECASE | re.DOTALL | re.VERBOSE,
)
_ATTRIBUTE = re.compile(r"""([^\s"'<>/=]++)\s*+=\s*+("[^"]*"|'[^']*'|[^\s"'<>]++)""")
_UNSEEN = {"head", "title", "template", "noscript"}
_BLOCKS = {
    "address", "article", "blockquote", "br", "div", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr",
    "li", "main", "ol", "p", "pre", "section", "table", "tr", "ul",
}  # fmt: skip
_PARAGRAPHS = {"blockquote", "h1", "h2", "h3", "h4", "h5", "h6", "ol", "p", "table", "ul"}


class _TextReader:
    def __init__(self) -> None:
        self.parts: list[str] = []
        self.unseen: list[str] = []
        self.link: tuple[str, int] | None = None

    def start(self, tag: str, rest: str) -> None:
        if tag in _UNSEEN:
            if tag not in self.unseen and not rest.endswith("/"):
                self.unseen.append(tag)
        elif tag == "a":
            # A link ends where the next begins, as in browsers.
            self.end_link()
            self.link = (_attribute(rest, "href"), len(self.parts))
        elif tag == "img":
            self.text(_attribute(rest, "alt"))
        elif tag == "li":
            self.parts.append("\n- ")
        elif tag in {"td", "th"}:
            self.parts.append(" ")
        else:
            self._break(tag)

    def end(self, tag: str) -> None:
        if tag in self.unseen:
            del self.unseen[self.unseen.index(tag) :]
        elif tag == "body":
            self.unseen.clear()
        elif tag == "a":
            self.end_link()
        elif tag != "br":
            self._break(tag)

    def text(self, words: str) -> None:
        if not self.unseen:
            self.parts.append(re.sub(r"\s+", " ", words))

    def end_link(self) -> None:
        """Show where a link leads, unless its words say so already."""
        if self.link is None:
            return
        (target, start), self.link = self.link, None
        words = "".join(self.parts[start:]).strip()
        if target.startswith(("http:", "https:", "mailto:")) and words != target.removeprefix("mailto:"):
            self.parts.append(f" ({target})" if words else target)

    def _break(self, tag: str) -> None:
        if tag in _BLOCKS:
            self.parts.append("\n\n" if tag in _PARAGRAPHS else "\n")


def plain_text(html: str) -> str:
    """The words of an HTML document: blocks on lines of their own, links followed by their target, no scripts or styles."""
    reader = _TextReader()
    for token in _TOKEN.finditer(html):
        if token["text"] is not None:
            reader.text(unescape(token["text"]))
        elif token["tag"]:
            tag = token["tag"].lower()
            if token["end"]:
                reader.end(tag)
            else:
                reader.start(tag, token["rest"])
    reader.end_link()
    lines = (re.sub(r"[ \t\xa0]+", " ", line).strip() for line in "".join(reader.parts).split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def _attribute(rest: str, name: str) -> str:
    """The first attribute of a name among those of a tag; empty without one."""
    for found, value in _ATTRIBUTE.findall(rest):
        if found.lower() == name:
            return unescape(value.strip("\"'"))
    return ""
