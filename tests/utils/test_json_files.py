"""The one reader of JSON and TOML: strict, bounded, and one sentence whatever stands in a file's place."""

import json
import math
import os
from typing import Any, TypedDict

import pytest

from fer_bench.utils import json_files
from fer_bench.utils.json_files import (
    UnreadableError,
    find_json,
    json_lines,
    json_text,
    parse_toml,
    read_json,
    read_text,
)


class Content(TypedDict):
    n: int


def test_a_sound_file_is_read(tmp_path):
    """Plain, with a byte order mark, and with text that only escapes can hold, as earlier versions wrote it."""
    file = tmp_path / "a.json"
    for data in (b'{"n": 3, "t": "caf\\udce9"}', b'\xef\xbb\xbf{"n": 3}\n'):
        file.write_bytes(data)
        assert read_json(file, Content)["n"] == 3
        assert find_json(file, Content) is not None
    for encoding in ("utf-16-le", "utf-16-be"):
        file.write_bytes('\ufeff{"n": 3}\n'.encode(encoding))
        assert read_json(file, Content)["n"] == 3
    file.write_bytes(b'\xef\xbb\xbf{"n": 3}\n{"n": 4}\n')
    assert [line["n"] for line in json_lines(file, Content)] == [3, 4]
    file.write_bytes(b'{"n": 3, "t\\udce9": ["\\ud83d\\ude00", "caf\\uDCE9"]}')
    assert read_json(file, dict[str, Any])["t\\udce9"] == ["\U0001f600", "caf\\udce9"]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (None, "cannot be read: No such file or directory"),
        ("folder", "cannot be read: expected a regular file, found a folder"),
        ("pipe", "cannot be read: expected a regular file, found a pipe or a device"),
        (b"", "cannot be read as JSON: found an empty file"),
        (b" \n", "cannot be read as JSON: found an empty file"),
        (b'{"n": ', "cannot be read as JSON: found the end at line 1, column 7"),
        (b'{"n": 3} x', "cannot be read as JSON: found 'x' at line 1, column 10"),
        (b"\xff\xfe\x00", "cannot be read: expected text in UTF-8, found byte 0xff at place 1"),
        (b'{"n": NaN}', "cannot be read as JSON: found NaN, which is no number in JSON"),
        (b'{"n": -Infinity}', "cannot be read as JSON: found -Infinity, which is no number in JSON"),
        (b'{"n": 1e999}', "cannot be read as JSON: found 1e999, a number too large"),
        (b'{"n": %s}' % (b"9" * 5000), "cannot be read as JSON: found a number of too many digits"),
        (b"[" * 100_000, "cannot be read as JSON: found values nested too deep"),
        (b"[" * 60 + b"]" * 60, "cannot be read as JSON: found values nested too deep"),
        (b'{"n": "3"}', ": n: expected a whole number, found '3'"),
        (b"[]", ": expected an object, found []"),
    ],
)
def test_what_is_no_such_file_is_one_sentence(tmp_path, data, words):
    """The file, what was expected and found, and what to do; None for who can go on without it, nothing of a log."""
    file = tmp_path / "a.json"
    if data == "folder":
        file.mkdir()
    elif data == "pipe":
        os.mkfifo(file)
    elif data is not None:
        file.write_bytes(data)
    with pytest.raises(UnreadableError) as caught:
        read_json(file, Content, name="--expected X", mend="make it anew")
    assert str(caught.value).startswith("--expected X")
    assert words in str(caught.value)
    assert str(caught.value).endswith("; make it anew")
    assert "\n" not in str(caught.value)
    assert find_json(file, Content) is None
    assert list(json_lines(file, Content)) == []


def test_a_file_too_large_is_not_even_read(tmp_path, monkeypatch):
    """More bytes than the bound are refused by the file's size."""
    monkeypatch.setattr(json_files, "_MOST_BYTES", 2_000_000)
    with (tmp_path / "a.json").open("wb") as handle:
        handle.truncate(5_000_000)
    with pytest.raises(UnreadableError, match="found 5 MB, more than 2"):
        read_text(tmp_path / "a.json", "a")


def test_lines_that_are_none_are_left_out(tmp_path):
    """Torn, deep, other and strange lines go; the others stay in their order."""
    lines = [b'{"n": 1}', b'{"n": ', b"[" * 100_000, b"\xff", b'{"n": NaN}', b'{"n": "2"}', b"", b'{"n": 3, "x": 0}']
    (tmp_path / "log").write_bytes(b"\n".join(lines))
    assert [line["n"] for line in json_lines(tmp_path / "log", Content)] == [1, 3]


def test_what_is_written_is_strict(tmp_path):
    """NaN and infinity become null wherever they stand, and all else stays what it was."""
    value = {"a": [1.5, math.nan, (math.inf, 2)], "b": {"c": -math.inf, "d": "NaN", "e": None, "f": True}}
    text = json_text(value)
    wanted = {"a": [1.5, None, [None, 2]], "b": {"c": None, "d": "NaN", "e": None, "f": True}}
    assert json.loads(text, parse_constant=pytest.fail) == wanted
    assert json_text({"a": 1}, indent=1) == json.dumps({"a": 1}, indent=1)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("n =", "s cannot be read as TOML: found a mistake: "),
        ("n = " + "[" * 100_000, "s cannot be read as TOML: found values nested too deep"),
        ("a" + ".b" * 60 + " = 1", "s cannot be read as TOML: found values nested too deep"),
        ("n = " + "9" * 5000, "s cannot be read as TOML: found a number of too many digits"),
        ("n = 1\nm = 2", "s: m: is not known here; expected n"),
        ("n = 1.5", "s: n: expected a whole number, found 1.5"),
    ],
)
def test_toml_is_held_to_the_same(text, words):
    """A TOML text that is none, too deep, or has other keys and kinds is one sentence."""
    with pytest.raises(UnreadableError) as caught:
        parse_toml(text, Content, "s")
    assert str(caught.value).startswith(words)
    assert "\n" not in str(caught.value)
