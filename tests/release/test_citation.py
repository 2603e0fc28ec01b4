"""How fer-bench asks to be cited: a valid CITATION.cff that agrees with the package."""

import tomllib
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
# Of the schema, https://github.com/citation-file-format/citation-file-format/blob/1.2.0/schema-guide.md
REQUIRED = {"cff-version", "message", "title", "authors"}
OPTIONAL = {
    "abstract", "commit", "contact", "date-released", "doi", "identifiers", "keywords", "license", "license-url",
    "preferred-citation", "references", "repository", "repository-artifact", "repository-code", "type", "url",
    "version",
}  # fmt: skip


def test_the_citation_file_is_valid_and_agrees_with_the_package():
    """Keys are those of the Citation File Format 1.2; version, licence and authors are pyproject's."""
    found = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert found["cff-version"] == "1.2.0"
    assert REQUIRED <= set(found) <= REQUIRED | OPTIONAL
    assert found["type"] == "software"
    assert found["version"] == project["version"]
    assert found["license"] == project["license"]
    assert found["authors"] == project["authors"]
    assert set(found["keywords"]) <= set(project["keywords"]) | {"benchmark"}
    assert all(isinstance(found[key], str) for key in ("message", "title", "abstract", "version"))
