"""Reads pages in Markdown: fenced blocks with the markers above them, inline code, commands, links, headings.

A marker is an HTML comment in the line above a block, so that a reader of the source sees what the tests do with it:

``<!-- not run: REASON -->``      the block is not run; few may be
``<!-- run by: tests/FILE -->``   another test runs it as it stands
``<!-- exit code: N -->``         its last command ends with N
``<!-- file: NAME -->``           it is the content of that file
``<!-- printed by: COMMAND -->``  it is what this command prints; without a marker, what the block before it prints
``<!-- paths -->``                it names folders and files of this repository

A block of ``py`` is a signature in the reference, which `docs/make_api.py` makes; there is nothing to run in it.
"""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = (
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "reports/README.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
)
MARKERS = ("not run", "run by", "exit code", "file", "printed by", "paths")
LANGUAGES = ("sh", "python", "toml", "csv", "text")
SIGNATURE = "py"

_FENCE = re.compile(r"^```(\S*)[ ]*\n(.*?)^```[ ]*$", re.DOTALL | re.MULTILINE)
_MARKER = re.compile(r"<!-- ([a-z ]+?)(?:: (.*))? -->")
_NAMED = re.compile(r"# ([\w./-]+\.(?:py|toml))$")
_ENDS = {";", ";;", "&&", "||", "|", "&", "(", ")", "do", "then", "done"}


@dataclass(frozen=True)
class Block:
    """A fenced block: where it stands, its language, its text, and the marker above it."""

    page: Path
    line: int
    language: str
    text: str
    marker: str = ""
    value: str = ""

    @property
    def file(self) -> str:
        """Name of the file that it is: by its marker, or by a first line such as ``# my_features.py``."""
        named = _NAMED.match(self.text.partition("\n")[0])
        return self.value if self.marker == "file" else named[1] if named else ""

    @property
    def told(self) -> bool:
        """Whether a page's story runs it, writes it or looks for it."""
        return self.marker not in ("not run", "run by", "paths") and self.language != SIGNATURE

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def name_of(page: Path) -> str:
    """A page's path in the repository."""
    return str(page.relative_to(ROOT))


def blocks(page: Path) -> list[Block]:
    """All fenced blocks of a page."""
    text, found = page.read_text(encoding="utf-8"), []
    for fence in _FENCE.finditer(text):
        above = text[: fence.start()].rstrip("\n").rpartition("\n")[2]
        marker = _MARKER.fullmatch(above)
        kind, value = (marker[1], marker[2] or "") if marker else ("", "")
        found.append(Block(page, text.count("\n", 0, fence.start()) + 1, fence[1], fence[2], kind, value))
    return found


def prose(page: Path) -> str:
    """The page without its fenced blocks."""
    return _FENCE.sub("", page.read_text(encoding="utf-8"))


def inline_code(page: Path) -> list[str]:
    """What stands between backticks in the text, in one line each."""
    return [" ".join(code.split()) for code in re.findall(r"(?<!`)`([^`]+)`(?!`)", prose(page))]


def commands(page: Path) -> Iterator[list[str]]:
    """The words after ``fer-bench`` of every command that a page names, in blocks and in the text."""
    for block in blocks(page):
        if block.language == "sh":
            yield from _calls(block.text)
    for code in inline_code(page):
        if code.startswith("fer-bench "):
            yield from _calls(code)


def _calls(script: str) -> Iterator[list[str]]:
    """Split a shell script into calls of fer-bench; a loop's variable stands for its first value."""
    values = dict(re.findall(r"for (\w+) in ([^\s;]+)", script))
    filled = re.sub(r"\$\{?(\w+)\}?", lambda match: values.get(match[1], match[0]), script.replace("\\\n", " "))
    for line in filled.splitlines():
        reader = shlex.shlex(line, posix=True, punctuation_chars=";&|()")
        reader.whitespace_split, reader.commenters = True, "#"
        call: list[str] = []
        for word in [*reader, ";"]:
            if word in _ENDS:
                at = [i for i, w in enumerate(call) if w == "fer-bench" or w.endswith("/fer-bench")]
                if at:
                    yield call[at[0] + 1 :]
                call = []
            else:
                call.append(word)


def links(page: Path) -> list[str]:
    """Targets of a page's links and pictures."""
    return re.findall(r"\]\(([^)\s]+)\)", prose(page))


def anchors(page: Path) -> set[str]:
    """The anchors that forges give to a page's headings."""
    titles = re.findall(r"^#+ (.*)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower().replace("`", "")).replace(" ", "-") for title in titles}
