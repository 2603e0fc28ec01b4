"""Every page: commands parse, options and paths exist, links lead somewhere, no block is left out unseen."""

import re
import runpy
import tomllib
from functools import cache

import pytest
import typer
from blocks import LANGUAGES, MARKERS, PAGES, ROOT, SIGNATURE, anchors, blocks, commands, inline_code, links, name_of

from fer_bench.cli.app import app
from fer_bench.folds.protocols import PROTOCOLS
from fer_bench.methods import load_methods
from fer_bench.plan.suites import expand, load_suite

MOST_NOT_RUN = 6
OF_OTHERS = {"--nworkers", "--nthreads", "--resources", "--scheduler-file", "--no-dashboard"}
"""Options of Dask's, which docs/cluster.md names."""

TOP = "baselines|benchmarks|deep|docs|fer_bench|reports|tests"


@cache
def _program():
    return typer.main.get_command(app)


def parse(words):
    """Read a command line as the program does, and do nothing: options, choices and numbers are checked."""
    command, rest = _program(), list(words)
    while rest and hasattr(command, "commands"):
        if rest[0].startswith("-"):
            break
        command = command.commands[rest.pop(0)]
    # A command that is named alone, as in a sentence, need not have all that it takes.
    if rest and not {"--help", "--version"} & set(rest):
        command.make_context(" ".join(words), rest)
    return command


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_command_parses(page):
    """Each `fer-bench` command of a page is one that exists, with options, choices and arguments that it takes."""
    for words in commands(page):
        parse(words)


def test_a_wrong_command_does_not_parse():
    """What the test above relies on: an unknown command, option, choice or a missing argument is refused."""
    for wrong in ("wrong", "run --wrong", "run --device wrong", "gate RUN", "run --seed wrong"):
        with pytest.raises(Exception, match=r"wrong|Missing|valid integer"):
            parse(wrong.split())


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_options_and_paths_in_the_text_exist(page):
    """Each option and each path of this repository that the text names is there."""
    options = {name for command in _every_command(_program()) for p in command.params for name in p.opts}
    options |= {name for command in _every_command(_program()) for p in command.params for name in p.secondary_opts}
    for code in inline_code(page):
        option = re.match(r"(--[a-z][a-z-]+)\b(?! [a-z]+/)", code)
        assert not option or option[1] in options | OF_OTHERS, f"{name_of(page)}: no command has {option[1]}"
        for path in re.findall(rf"(?<![\w./-])((?:{TOP})/[\w./-]*\w/?)", code):
            assert (ROOT / path).exists(), f"{name_of(page)}: no file {path}"


def _every_command(command):
    yield command
    for below in getattr(command, "commands", {}).values():
        yield from _every_command(below)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page):
    """Each link within the repository leads to a file that is there, and to a heading that it has."""
    for link in links(page):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{name_of(page)}: no {link}"
        assert not anchor or anchor in anchors(target), f"{name_of(page)}: no heading {link}"


def test_every_page_is_reached_from_the_index():
    """docs/README.md leads to every page of the folder, and README.md to it."""
    seen, todo = set(), [ROOT / "README.md"]
    while todo:
        page = todo.pop()
        seen.add(page)
        inside = [(page.parent / link.partition("#")[0]).resolve() for link in links(page) if "://" not in link]
        todo += [p for p in inside if p.suffix == ".md" and p in PAGES and p not in seen]
    assert {name_of(p) for p in PAGES} <= {name_of(p) for p in seen}
    index = {(ROOT / "docs" / link).resolve() for link in links(ROOT / "docs" / "README.md")}
    assert set((ROOT / "docs").glob("*.md")) - {ROOT / "docs" / "README.md"} <= index


def test_no_block_is_left_out_unseen():
    """Each block has a language and a marker that the tests know; a reason stands where one is not run, and few are."""
    not_run = []
    for block in [block for page in PAGES for block in blocks(page)]:
        languages = (*LANGUAGES, SIGNATURE) if block.page.parent.name == "api" else LANGUAGES
        assert block.language in languages, f"{block}: no test knows what to do with ```{block.language}"
        assert not block.marker or block.marker in MARKERS, f"{block}: no test knows the marker {block.marker!r}"
        if block.marker == "not run":
            assert block.value, f"{block}: say why it is not run"
            not_run.append(block)
        if block.marker == "run by":
            text = (ROOT / block.value).read_text(encoding="utf-8")
            assert block.page.name in text, f"{block}: {block.value} does not read {block.page.name}"
    assert len(not_run) <= MOST_NOT_RUN, "; ".join(f"{b}: {b.value}" for b in not_run)


def test_a_feature_and_a_classifier_take_forty_lines_at_most():
    """The guide's feature with classifier, its package included, is short enough to be copied, as README says."""
    package = [b for b in blocks(ROOT / "docs" / "methods.md") if b.file.startswith("my-features/")]
    assert len(package) == 2
    assert len([line for block in package for line in block.text.splitlines() if line.strip()]) <= 40


def test_the_guide_to_protocols_has_all_of_them():
    """Each protocol has a row in docs/protocols.md, under its name, and none that there is not."""
    rows = re.findall(
        r"^\| `([a-z0-9-]+)` \|", (ROOT / "docs" / "protocols.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert sorted(rows) == sorted(PROTOCOLS)


def test_the_guide_to_the_report_has_all_sections_in_order():
    """docs/reading.md has a row for each section of the committed reports, in their order."""
    guide = (ROOT / "docs" / "reading.md").read_text(encoding="utf-8")
    rows = [row.removesuffix(" ...") for row in re.findall(r"^\| ([A-Z].*?) \|", guide, re.MULTILINE)]
    for report in sorted((ROOT / "reports").glob("*/report.md")):
        sections = re.findall(r"^## (.*)$", report.read_text(encoding="utf-8"), re.MULTILINE)
        # only runs with such rows have it, so the guide tells it apart
        sections = [section for section in sections if section != "Systems named in the article"]
        assert len(sections) == len(rows), report
        for section, row in zip(sections, rows, strict=True):
            assert section.startswith(row), report


def test_the_reference_is_what_docstrings_say():
    """docs/api is what docs/make_api.py makes of the source now; run that after changing a docstring."""
    script = runpy.run_path(str(ROOT / "docs" / "make_api.py"))
    made = script["pages"]()
    assert set(made) == set((ROOT / "docs" / "api").glob("*.md"))
    for file, text in made.items():
        assert file.read_text(encoding="utf-8") == text, f"{name_of(file)}: run python docs/make_api.py"


def test_the_reference_describes_every_name():
    """Each name of the reference has a text, so that nothing public is there without a word."""
    for page in (ROOT / "docs" / "api").glob("*.md"):
        for entry in re.split(r"^### ", page.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
            name, _, rest = entry.partition("\n")
            words = re.sub(r"```.*?```", "", rest, flags=re.DOTALL).strip()
            assert words, f"{name_of(page)}: {name} has no docstring"


def test_trees_of_folders_name_what_is_there():
    """In a block of paths each line begins with a folder or file that is there, below the one it is indented under."""
    found = [block for page in PAGES for block in blocks(page) if block.marker == "paths"]
    assert found
    for block in found:
        home = ROOT
        for line in block.text.splitlines():
            path = line.split()[0]
            home = ROOT / path if line[0] != " " else home
            assert (home if line[0] != " " else home / path).exists(), f"{block}: {path}"


def test_suites_and_code_in_blocks_are_read():
    """Each TOML block is TOML, and a suite where it has jobs; each Python block compiles."""
    for block in [block for page in PAGES for block in blocks(page)]:
        if block.language == "python" and ">>>" not in block.text:
            compile(block.text, str(block), "exec")
        if block.language == "toml":
            tomllib.loads(block.text)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_suites_in_blocks_name_methods_that_exist(page, tmp_path):
    """Each suite that a page writes is one that fer-bench takes, with methods and protocols that there are."""
    for block in blocks(page):
        if block.language == "toml" and "[[job]]" in block.text:
            file = tmp_path / "suite.toml"
            file.write_text(block.text)
            for profile in ("quick", "full"):
                entries = expand(load_suite(str(file)), load_methods().values(), profile)
                assert {entry.protocol for entry in entries} <= set(PROTOCOLS), str(block)


def test_the_tutorial_installs_before_it_calls():
    """Who types the tutorial from top to bottom has the command when it is first called."""
    code = "\n".join(re.findall(r"^```sh\n(.*?)^```", (ROOT / "docs" / "tutorial.md").read_text(), re.M | re.S))
    assert 0 <= code.index("pip install -c constraints.txt .") < code.index("\nfer-bench ")


def test_columns_are_told_by_the_headings_that_reports_print() -> None:
    """Each quoted heading of docs/reading.md's list is one that the report's code prints, letter by letter."""
    guide = (ROOT / "docs" / "reading.md").read_text(encoding="utf-8")
    told = guide.split("\n## Columns and marks\n")[1].split("\n## ")[0]
    cells = [line.split(" | ")[0] for line in told.splitlines() if line.startswith('| "')]
    headings = [heading for cell in cells for heading in re.findall(r'"([^"]+)"', cell)]
    assert len(headings) > 30
    texts = [path.read_text(encoding="utf-8") for path in (ROOT / "fer_bench" / "report").rglob("*.py")]
    code = "\n".join(texts).replace("{100 * stats.MARGIN:g}", "1")
    assert not [heading for heading in headings if f'"{heading}"' not in code]
