"""KDEF as people have it on disk: pictures with KDEF's names, at any depth.

Grammar, bad files and boxes: kdef.se; Lundqvist, Flykt & Oehman 1998, "The Karolinska Directed Emotional Faces".
"""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath

from .. import LAYOUT_SUMMARIES
from ..manifest import Dataset, Excluded
from ..names import KDEF_NAME, MISNAMED, picture_name
from ..sources.base import Source
from ..sources.kinds import ending
from ..sources.open_source import open_source
from ..words import label_words
from .contract import PICTURES, Layout, Listing, files_of, pictures_of
from .folder_words import folders_of
from .notes import note_additions, note_others
from .reading import read_layout

__all__ = ["KDEF", "MISNAMED", "STRICT", "parse_name", "read_kdef"]

_AVERAGE = re.compile(r"[FM](AF|AN|DI|HA|NE|SA|SU|F|A|D|H|N|S)[A-Z]*(FL|HL|S|HR|FR)")

_STRICT = """
    AF01SUFR AF08DIS  AF08SAS  AF10AFFR AF11NEHL AF18AFS  AF18DIS  AF18SAS  AF18SUS  AF20DIHL AM02HAFR AM03SAS
    AM12ANS  AM12NES  AM12SAS  AM15AFS  AM15ANS  AM16NES  AM17DIHR AM18AFHR AM19NES  AM20ANFR AM20NES  AM20SAHR
    AM20SAS  AM24NES  AM25DIFL AM26AFS  AM26DIS  AM28HAS  AM30SAS  AM34DIFR BF08DIS  BF08SAS  BF11SUHL BF11SUS
    BF13NEHR BF18DIS  BF18SAS  BF18SUS  BM01DIS  BM01HAS  BM02ANS  BM04AFS  BM15DIFR BM15HAS  BM15NES  BM15SUS
    BM17NES  BM18NES  BM19AFHR BM19ANFR BM19ANHR BM19ANS  BM19NEHL BM19NES  BM19SAFL BM19SAHR BM19SUFR BM20AFS
    BM20ANHL BM20ANHR BM20ANS  BM20DIFL BM20NES  BM20SAFL BM20SAS  BM21DIFL BM22DIHL BM22DIHR BM22SAS  BM24DIFL
    BM24DIS  BM26AFS  BM27SAS  BM29NES  BM29SUS  BM33NEFR
"""
STRICT = frozenset(_STRICT.split())
"""78 pictures that a public clean-up of KDEF dropped as ruined or too noisy: the ten blank frames and 68 more.

Source: what is missing in dataset/Label.csv of github.com/adrianofragomeni/emotion_classification.
"""


def parse_name(stem: str) -> dict[str, str] | None:
    """Read a KDEF name such as ``AF01ANHL`` (any case); None where it is not one, or has anything beside it."""
    row, picture = _read_name(stem)
    return row if picture == MISNAMED.get(stem.upper(), stem.upper()) else None


def _read_name(stem: str) -> tuple[dict[str, str] | None, str]:
    """Row and bare name; a name with an addition, such as ``AF01ANHL_aug1``, is another image of the same picture."""
    named = picture_name(KDEF_NAME, stem)
    if named is None:
        return None, ""
    found, image = named
    row = {"image": image, **{key: found[key] for key in ("label", "subject", "gender", "session", "view")}}
    return row, found["picture"]


def read_kdef(path: Path, workers: int) -> Dataset:
    """Read a KDEF folder or archive and audit every picture.

    Parameters
    ----------
    path : Path
        Folder or archive with pictures named in KDEF's grammar.
    workers : int
        Threads that decode.

    Raises
    ------
    UserError
        The path does not exist, is no folder or archive, or holds no usable image.
    """
    return read_layout(KDEF, open_source(path), str(path), workers)


def _claims(source: Source) -> bool:
    return any(_read_name(path.stem)[1] or _in_akdef(path) for _, path in files_of(source))


def _listing(source: Source) -> Listing:
    """Names of the grammar count with any ending; other files only where they are pictures."""
    rows, pictures, excluded, others = [], [], [], []
    files = files_of(source)
    are_pictures = frozenset(name for name, _ in pictures_of(source))
    read = folders_of(source)
    for name, path in files:
        parsed, picture = _read_name(path.stem)
        folder = read(name)
        inside = folder.label if folder.word == path.parent.name.lower() else ""
        if parsed is not None and inside not in ("", parsed["label"]):
            reason = f"contradictory labels: the name says {parsed['label']}, the folder {path.parent.name}"
            excluded.append(Excluded(name, reason))
        elif parsed is not None:
            rows.append({**parsed, "file": name})
            pictures.append(picture)
        elif name not in are_pictures:
            continue
        elif _AVERAGE.fullmatch(path.stem.upper()) or _in_akdef(path):
            excluded.append(Excluded(name, "an average over all people, which would leak test people (AKDEF)"))
        else:
            excluded.append(Excluded(name, "the name is not one of KDEF's, such as AF01ANHL"))
            others.append(name)
    notes = (
        *note_additions([row["image"] for row in rows], pictures, "KDEF's"),
        *note_others(others, len(rows) + len(excluded), "KDEF's"),
    )
    return Listing(rows, excluded, source, notes)


def _in_akdef(path: PurePosixPath) -> bool:
    return ending(path) in PICTURES and "AKDEF" in (part.upper() for part in path.parts[:-1])


KDEF = Layout(
    name="kdef",
    summary=LAYOUT_SUMMARIES["kdef"],
    expects="KDEF's names such as AF01AFS.JPG",
    claims=_claims,
    listing=_listing,
    labels=label_words("af", "an", "di", "ha", "ne", "sa", "su"),
    notice=(
        "Pictures in KDEF's layout. KDEF (Lundqvist, Flykt & Oehman 1998) is for non-commercial research and may not "
        "be redistributed; reports hold numbers and plots only, and no "
        "picture leaves the machine."
    ),
    crop="fixed",
    strict=STRICT,
)
