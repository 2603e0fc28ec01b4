"""No words of Python's own errors reach a user."""

import pytest

from fer_bench.cli import app
from fer_bench.errors import UserError
from fer_bench.folds.folds import read_folds
from fer_bench.folds.tables import read_fold_table, read_text_table

SEEDLESS = b"# fer-bench folds 1; protocol=p; manifest=m; "
HEAD = SEEDLESS + b"seed=0\n"


@pytest.mark.parametrize(
    ("content", "read", "told"),
    [
        (HEAD + b"fold,role,image\n0,test,a\n", read_folds, "the column subject, label is missing"),
        (HEAD + b"fold,role,image,subject,label\nx,test,a,b,AF\n", read_folds, "'x' is no whole number"),
        (SEEDLESS + b"x=1\nfold,role,image,subject,label\n0,test,a,,\n", read_folds, "seed is missing"),
        (SEEDLESS + b"seed=no\nfold,role,image,subject,label\n", read_folds, "'no' is no whole number"),
        (b"image,fold\na,1\nb,2,3,4\n", read_fold_table, "line 3 has 4 cells, 2 were expected"),
        (b"image,fold\n\"a,1\n", read_fold_table, "never closed"),
        (b"", read_fold_table, "it is empty"),
        (b"image,fold\n\xff,1\n", lambda file: read_text_table(file, "a table"), "it is no text in UTF-8"),
    ],
)  # fmt: skip
def test_a_table_that_cannot_be_read_is_told_in_plain_words(tmp_path, content, read, told):
    """What is wrong, and in which line; nothing of codecs, literals, tokens or indexes."""
    file = tmp_path / "f.csv"
    file.write_bytes(content)
    with pytest.raises(UserError) as found:
        read(file)
    assert told in str(found.value)
    assert not any(word in str(found.value) for word in ("codec", "literal", "tokeniz", "Index", "Errno"))


def test_what_the_system_refuses_is_told_with_its_place(monkeypatch, capsys):
    """An error of the system that no part of the program has foreseen names the file, and no number of an error."""

    def refuse():
        raise PermissionError(13, "Permission denied", "/some/where")

    monkeypatch.setattr(app, "app", refuse)
    monkeypatch.setattr(app, "ready_streams", lambda: None)
    with pytest.raises(SystemExit, match="2"):
        app.main()
    assert capsys.readouterr().err == "fer-bench: /some/where: permission denied\n"
