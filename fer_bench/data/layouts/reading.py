"""From a layout's rows to a dataset: pictures audited, doubles and contradictions taken out, nothing in silence."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import PurePosixPath

from ..images.audit import AuditResult, audit
from ..images.drawn import PHOTOGRAPHS, drawn_by, drawn_notice
from ..images.pictures import FilePictures
from ..manifest import Dataset, Excluded, FileCount, as_manifest, as_written
from ..names import bare_name
from ..sources.base import Source
from ..sources.kinds import UNREAD, is_systems_own, kind_of
from .contract import Layout, Listing
from .normal import need_everybody_or_nobody, normal_rows, refuse_doubts, why_nobody

__all__ = ["drop_copies", "drop_doubles", "read_layout"]

_SPLIT_ORDER = {"PrivateTest": 0, "test": 1, "PublicTest": 2, "validation": 3, "train": 5}
"""Which of several equal pictures stays: a test part's before a training part's, whose copies would leak it."""

_REMEDIES = {
    "an archive": ": unpack it and give the folder",
    "a film": ": save the frames that you mean as pictures",
    "a table": " that this layout does not read",
    "a camera's raw picture": f", {UNREAD}",
    "a picture of another format": f", {UNREAD}",
}
"""What there is to say of files that nobody reads beyond their kind."""

Row = dict[str, str]


def read_layout(layout: Layout, source: Source, data: str, workers: int, *, strict: bool = False) -> Dataset:
    """Read a source in one layout and audit every picture.

    Parameters
    ----------
    layout : Layout
        How names are read.
    source : Source
        The files.
    data : str
        What the user gave, for messages and `Dataset.path`.
    workers : int
        Threads that decode.
    strict : bool
        As of `fer_bench.load_dataset`.

    Raises
    ------
    UserError
        No usable image, images of one expression only, people who are given for some pictures only, or what ``strict``
        refuses.
    """
    listing = _listing(layout, source)
    named, doubts = normal_rows(listing.rows)
    need_everybody_or_nobody(listing.rows, named, source.where)
    if strict:
        refuse_doubts(doubts, source.where)
    rows, unwanted = _drop_unwanted(named, layout.strict if strict else frozenset())
    usable, unusable = _drop_unusable(rows, audit([row["file"] for row in rows], listing.source, workers))
    unique, doubles = drop_doubles(usable)
    unique, copies = drop_copies(unique)
    left_out = [*listing.excluded, *unwanted, *unusable, *doubles, *copies, *_unnamed(source, listing)]
    manifest = as_manifest(unique, [*source.refused, *left_out], f"`{source.parameter}` {data}", layout.expects)
    manifest = replace(manifest, count=_count(source, listing, {row["file"] for row in unique}, left_out))
    tools = drawn_by([row["mark"] for row in unique], [row["sha256"] for row in unique])
    return Dataset(
        name=source.path.resolve().stem,
        manifest=manifest,
        notice=drawn_notice(tools, layout.notice),
        path=data,
        rendered=set(tools) != {PHOTOGRAPHS},
        drawn_by=tuple(sorted(set(tools))) if set(tools) != {PHOTOGRAPHS} else (),
        crop=layout.crop,
        pictures=FilePictures(listing.source),
        layout=layout.name,
        layout_summary=layout.summary,
        why_no_people="" if manifest.people else why_nobody(listing.rows) or layout.no_people,
        notes=(*listing.notes, *(doubt.sentence for doubt in doubts)),
    )


def _listing(layout: Layout, source: Source) -> Listing:
    """What a layout makes of a source; files that it reads meanwhile are noted as those that tell of others."""

    def read(name: str) -> bytes:
        source.told.add(name)
        return source.read(name)

    watched = replace(source, read=read)
    listing = layout.listing(watched)
    if listing.source.read is read:
        listing = replace(listing, source=replace(listing.source, read=source.read))
    return listing


def _unnamed(source: Source, listing: Listing) -> Iterator[Excluded]:
    """What is in a source and no layout has a word for."""
    named = {row["file"] for row in listing.rows} | {one.file for one in listing.excluded} | source.told
    unnamed = [name for name in source.files if name not in named and as_written(name) not in named]
    pictures = frozenset(name for name, _ in source.pictures) if unnamed else frozenset()
    for name in unnamed:
        yield Excluded(name, _why_not_read(source, name, name in pictures))


def _why_not_read(source: Source, name: str, is_picture: bool) -> str:
    if is_systems_own(name):
        return "the operating system's own file"
    if is_picture:
        return f"a picture that {'the table does not list' if source.told else 'this layout does not read'}"
    kind = kind_of(PurePosixPath(name), source.start_of(name))
    return kind + _REMEDIES.get(kind, "")


def _count(source: Source, listing: Listing, read: set[str], left_out: Sequence[Excluded]) -> FileCount:
    """Where each file of a source went; a picture that is a row of a table counts as a file, too."""
    rows = {row["file"] for row in listing.rows} | {*listing.source.files}
    files = rows.union(source.files)
    named = {one.file for one in left_out}
    unread = {name for name in files - read if as_written(name) in named}
    told = (source.told & files) - read - unread
    return FileCount(
        there=len(files) + len(source.refused),
        read=len(read),
        told=len(told),
        left_out=len(unread) + len(source.refused),
        besides=len(left_out) - len(unread),
    )


def _drop_unwanted(rows: Sequence[Row], strict: frozenset[str]) -> tuple[list[Row], list[Excluded]]:
    wanted, unwanted = [], []
    for row in rows:
        if strict and bare_name(row["image"]) in strict:
            unwanted.append(Excluded(row["file"], "on the strict list that --strict asks for"))
        elif not _is_text(row["file"]):
            unwanted.append(Excluded(row["file"], "a name that is no text, which no table can hold; rename it"))
        else:
            wanted.append(row)
    return wanted, unwanted


def _is_text(name: str) -> bool:
    """Bytes of a file's name in another encoding than the system's come as lone surrogates."""
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _drop_unusable(rows: Sequence[Row], verdicts: Iterable[AuditResult]) -> tuple[list[Row], list[Excluded]]:
    usable, unusable = [], []
    for row, verdict in zip(rows, verdicts, strict=True):
        if verdict.reason:
            unusable.append(Excluded(row["file"], verdict.reason))
        else:
            usable.append({**row, "sha256": verdict.sha256, "phash": verdict.phash, "mark": verdict.mark})
    return usable, unusable


def drop_doubles(rows: Iterable[Row]) -> tuple[list[Row], list[Excluded]]:
    """Keep one file of each image; a copy in a second folder would stand in train and test at once.

    Test parts of a dataset's own split keep theirs before training parts, else the first file stays. Files of one image
    under different labels or people are all left out: nobody can say which is right.

    Returns
    -------
    rows : list of dict
        With unique ``image``.
    doubles : list of Excluded
        The others.
    """
    of_image: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        of_image[row["image"]].append(row)
    kept, doubles = [], []
    for image, files in of_image.items():
        contradicted = _contradicted(files)
        if contradicted:
            column, what = contradicted
            said = _claims(files, column)
            doubles += [Excluded(r["file"], f"contradictory {what}: {image} is {said}") for r in files]
            continue
        first, *others = sorted(files, key=_split_order)
        kept.append(first)
        for row in others:
            parts = [r.get("split", "") for r in (row, first)]
            across = f", {parts[1]} and not {parts[0]}" if parts[0] != parts[1] else ""
            doubles.append(Excluded(row["file"], f"a second file of an image: {first['file']} is used{across}"))
    return kept, doubles


def drop_copies(rows: Iterable[Row]) -> tuple[list[Row], list[Excluded]]:
    """Keep one of each set of pictures that are equal byte by byte; a copy in training gives a test picture away.

    Test parts of a dataset's own split keep theirs before training parts. Equal pictures under different labels or
    people are all left out.

    Returns
    -------
    rows : list of dict
        With unique ``sha256``, in the order of ``rows``.
    copies : list of Excluded
        The others.
    """
    rows = list(rows)
    of_content: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        of_content[row["sha256"]].append(row)
    copies: dict[str, str] = {}
    for equal in of_content.values():
        if len(equal) == 1:
            continue
        contradicted = _contradicted(equal)
        if contradicted:
            column, what = contradicted
            said = _claims(equal, column)
            copies.update({r["file"]: f"contradictory {what}: the same picture stands as {said}" for r in equal})
        else:
            first, *others = sorted(equal, key=lambda r: (_split_order(r), r["image"]))
            for row in others:
                across = row.get("split", "") != first.get("split", "")
                which = "a copy of a picture in another part of the split" if across else "a copy of another picture"
                copies[row["file"]] = f"{which}: {first['file']}"
    return [r for r in rows if r["file"] not in copies], [Excluded(file, why) for file, why in copies.items()]


def _split_order(row: Row) -> int:
    return _SPLIT_ORDER.get(row.get("split", ""), 4)


def _contradicted(rows: Sequence[Row]) -> tuple[str, str] | None:
    """The column, and a word for it, in which rows of one picture say different things."""
    for column, what in (("label", "labels"), ("subject", "people")):
        if len({row.get(column, "") for row in rows}) > 1:
            return column, what
    return None


def _claims(rows: Sequence[Row], column: str = "label") -> str:
    return " and ".join(f"{row.get(column, '')} ({row['file']})" for row in rows[:3])
