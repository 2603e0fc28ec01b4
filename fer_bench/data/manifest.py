"""The manifest: one row an image, and every file left out with its reason."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import astuple, dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fer_bench.errors import UserError
from fer_bench.labels import EMOTIONS
from fer_bench.methods import ImageSpec
from fer_bench.utils.near import did_you_mean

from .crop_choice import CropChoice

__all__ = [
    "COLUMNS",
    "Dataset",
    "Excluded",
    "FileCount",
    "Manifest",
    "as_manifest",
    "as_written",
    "choose_images",
    "choose_people",
    "need_expressions",
]

_SOURCES = ("photo", "grey256", "landmarks")
_LARGEST_SIDE = 2048

COLUMNS = (*("image", "file", "label", "subject", "gender", "session", "view", "sequence", "split", "sha256", "phash"),)


@dataclass(frozen=True)
class Excluded:
    """A file that was found and not used; bytes of its name that are no text are written as escapes."""

    file: str
    reason: str

    def __post_init__(self) -> None:
        for name in ("file", "reason"):
            object.__setattr__(self, name, as_written(getattr(self, name)))


def as_written(name: str) -> str:
    """Return a file's name as every file of a run can hold it: bytes that are no text as escapes."""
    return name.encode("utf-8", "backslashreplace").decode()


@dataclass(frozen=True)
class FileCount:
    """Where each file of a dataset went when it was read, before people or views were chosen.

    Attributes
    ----------
    there : int
        Files that there were, and rows of a table that hold pictures themselves.
    read : int
        Those whose picture is used.
    told : int
        Those that say what the pictures are: tables, files of labels.
    left_out : int
        Those that are named as left out.
    besides : int
        What is named as left out and is no file of its own: a row of a table whose picture is not there, or that names
        a picture again.
    """

    there: int
    read: int
    told: int
    left_out: int
    besides: int = 0

    @property
    def whole(self) -> bool:
        """Whether no file is missing from the sum."""
        return self.there == self.read + self.told + self.left_out

    @property
    def sentence(self) -> str:
        """The sum in words, such as ``"4,900 files: 4,888 read, 12 left out"``."""
        told = f", {self.told:,} read for what {'it says' if self.told == 1 else 'they say'}" if self.told else ""
        besides = f"; {self.besides:,} row{'s' if self.besides > 1 else ''} left out besides" if self.besides else ""
        files = f"{self.there:,} file{'s' if self.there > 1 else ''}"
        return f"{files}: {self.read:,} read{told}, {self.left_out:,} left out{besides}"

    def without(self, n: int) -> FileCount:
        """Return the count after ``n`` of those that were read are left out, too."""
        return replace(self, read=self.read - n, left_out=self.left_out + n)

    def __add__(self, other: FileCount) -> FileCount:
        return FileCount(*(a + b for a, b in zip(astuple(self), astuple(other), strict=True)))


@dataclass(frozen=True)
class Manifest:
    """The images of a dataset.

    Attributes
    ----------
    table : DataFrame
        Columns `COLUMNS`, all str, sorted by ``image`` (unique); ``label`` is a code of ``EMOTIONS``. What a
        dataset does not tell is empty: ``subject`` (all or none), ``gender``, ``session``, ``view``, ``sequence``
        (pictures taken in one go: frames of one film, one sitting), ``split`` (the dataset's own: "train",
        "validation", "test", "PublicTest", "PrivateTest") and ``phash`` (a hash, of 64 hexadecimal digits and mostly
        256 more characters, that tells pictures that look the same).
    excluded : tuple of Excluded
        What was found and left out.
    count : FileCount or None
        Where each file went; None where there are no files, or nobody counted them.
    """

    table: pd.DataFrame
    excluded: tuple[Excluded, ...] = ()
    count: FileCount | None = None

    def __len__(self) -> int:
        return len(self.table)

    @cached_property
    def hash(self) -> str:
        """Sha256 of all rows but their paths: the same pictures in another folder are the same data."""
        rows = self.table.drop(columns=["file", "phash"]).to_csv(index=False, lineterminator="\n")
        return hashlib.sha256(rows.encode()).hexdigest()

    @property
    def labels(self) -> NDArray[np.int64]:
        """(n,) indices into ``EMOTIONS``."""
        codes = {code: i for i, code in enumerate(EMOTIONS)}
        result: NDArray[np.int64] = self.table["label"].map(codes).to_numpy(dtype=np.int64)
        return result

    @property
    def people(self) -> list[str]:
        """Sorted names of the people; empty where the dataset does not tell who is who."""
        return sorted(set(self.table["subject"].unique()) - {""})

    @property
    def unit(self) -> str:
        """What may be taken for independent: ``"person"``, else ``"sequence"``, else ``"image"``."""
        if self.people:
            return "person"
        return "sequence" if self.table["sequence"].ne("").all() else "image"

    @property
    def groups(self) -> NDArray[np.object_]:
        """(n,) str: the person on each image, or what stands in for people where they are not given; see `unit`."""
        column = {"person": "subject", "sequence": "sequence", "image": "image"}[self.unit]
        result: NDArray[np.object_] = self.table[column].to_numpy(dtype=object)
        return result

    def keep(self, people: Sequence[str]) -> Manifest:
        """Return the manifest of these people alone; exclusions are kept."""
        return self.where("subject", people)

    def where(self, column: str, values: Sequence[str]) -> Manifest:
        """Return the manifest of the images whose ``column`` is one of ``values``; exclusions are kept."""
        rows = self.table[self.table[column].isin(values)].reset_index(drop=True)
        return replace(self, table=rows)


@dataclass(frozen=True)
class Dataset:
    """A manifest and the way to its pictures.

    Attributes
    ----------
    name : str
        Such as ``"synthetic"`` or the name of the folder.
    notice : str
        What a reader of a report must know before its figures.
    path : str
        Where it was read from; empty for the built-in rendered faces.
    rendered : bool
        True where no camera was involved, for some pictures at least; such figures declare no winner.
    crop : str
        How faces are cut out; part of the image store's key. Empty until `fer_bench.load_dataset` has chosen it.
    pictures : callable
        ``pictures(manifest, workers)`` yields whole RGB pictures (h, w, 3) uint8 in the manifest's order.
    layout : str
        The layout that it was read in; empty for the built-in rendered faces.
    layouts : tuple of str
        Of two datasets that were joined, the layouts of both; otherwise empty.
    layout_summary : str
        The sentence that says what that is.
    why_no_people : str
        Why it cannot be said who is on a picture, a clause to follow "protocol x: "; empty where it can.
    landmarks : callable or None
        ``landmarks(file)`` gives the 68 landmarks (68, 2) of a picture, by its name in the manifest, in pixels of the
        whole picture; None where they are not known beforehand.
    stored : callable or None
        ``stored(dataset, spec)`` gives its images from the image store; None where it was not opened by
        `fer_bench.load_dataset`.
    notes : tuple of str
        What a reader must know of how it was read and put together, a sentence each.
    drawn_by : tuple of str
        What drew the pictures, sorted, such as ``"fer-bench renderer 7, seed 0"``, and ``"photographs"`` where only
        some are drawn; empty where none is known to be.
    crop_choice : CropChoice or None
        What was seen where looking at pictures chose ``crop``; None where it was asked for or is the layout's.
    """

    name: str
    manifest: Manifest
    notice: str
    path: str
    rendered: bool
    crop: str
    pictures: Callable[[Manifest, int], Iterator[NDArray[np.uint8]]]
    layout: str = ""
    layout_summary: str = ""
    why_no_people: str = ""
    landmarks: Callable[[str], NDArray[np.float64]] | None = None
    layouts: tuple[str, ...] = ()
    stored: Callable[[Dataset, ImageSpec], NDArray[Any]] | None = None
    notes: tuple[str, ...] = ()
    drawn_by: tuple[str, ...] = ()
    crop_choice: CropChoice | None = None

    def __len__(self) -> int:
        return len(self.manifest)

    def __repr__(self) -> str:
        who = f", {len(self.manifest.people)} people" if self.manifest.people else ""
        return f"<Dataset {self.name}: {len(self)} images{who}, crop {self.crop}>"

    @property
    def table(self) -> pd.DataFrame:
        """One row an image; see `Manifest`."""
        return self.manifest.table

    @property
    def labels(self) -> NDArray[np.int64]:
        """(n,) indices into ``EMOTIONS``."""
        return self.manifest.labels

    @property
    def groups(self) -> NDArray[np.object_]:
        """(n,) str: the person on each image, or what stands in for people; see `Manifest.groups`."""
        return self.manifest.groups

    def images(self, size: int = 224, channels: int = 3, source: str = "photo") -> NDArray[Any]:
        """Return all images as a method that asks for this form sees them, to the bit: cropped and resized.

        Made once and kept in the image store; the same call gives them at once from then on.

        Parameters
        ----------
        size : int
            Side in pixels.
        channels : int
            1 for grey, 3 for RGB.
        source : str
            As of `fer_bench.ImageSpec`: ``"photo"``, ``"grey256"`` or ``"landmarks"``.

        Returns
        -------
        array
            (n, size, size) or (n, size, size, 3) uint8 in the order of `table`, or landmarks (n, 68, 2) float32. It is
            mapped from a file and cannot be written to: indexing gives copies in memory, ``numpy.array`` all of it.

        Raises
        ------
        UserError
            A form that there is not, or a dataset that was not opened by `fer_bench.load_dataset`.
        InputError
            Landmarks are asked for, and nobody can place them on these pictures.
        """
        if not 8 <= size <= _LARGEST_SIDE:
            raise UserError(f"images: expected a size of 8 to {_LARGEST_SIDE} pixels, found {size}")
        if channels not in (1, 3):
            raise UserError(f"images: expected channels of 1 (grey) or 3 (RGB), found {channels}")
        if source not in _SOURCES:
            raise UserError(
                f"images: expected a source of {', '.join(_SOURCES)}, found {source!r}{did_you_mean(source, _SOURCES)}"
            )
        if self.stored is None:
            raise UserError(
                f"images: {self.name} was not opened by fer_bench.load_dataset, which knows where images are"
            )
        return self.stored(self, ImageSpec(size, channels, source))

    def keep(self, people: Sequence[str]) -> Dataset:
        """Return the dataset of these people alone."""
        return replace(self, manifest=self.manifest.keep(people))


def choose_people(manifest: Manifest, n: int) -> list[str]:
    """Choose ``n`` people for a quick run: first of each sex in turn (F01, M01, F02, ...), the same every time.

    Where sex is not given, those with most images come first: some datasets have four images of a person.
    """
    people = manifest.table.groupby("subject").agg(gender=("gender", "first"), n=("image", "size")).reset_index()
    if people["gender"].eq("").all():
        return list(people.sort_values(["n", "subject"], ascending=[False, True])["subject"].head(n))
    turn = people.sort_values("subject").groupby("gender").cumcount()
    return list(people.assign(turn=turn).sort_values(["turn", "gender", "subject"])["subject"].head(n))


def choose_images(manifest: Manifest, n: int) -> list[str]:
    """Choose about ``n`` images for a quick run on data without people, the same every time.

    Whole sequences, from each expression of each part of the split in turn, in an order that the names do not give.
    """
    table = manifest.table.assign(unit=manifest.groups)
    units = table.groupby("unit").agg(label=("label", "first"), split=("split", "first"), n=("image", "size"))
    units["order"] = [hashlib.sha256(str(unit).encode()).hexdigest() for unit in units.index]
    units["turn"] = units.sort_values("order").groupby(["label", "split"]).cumcount()
    units = units.sort_values(["turn", "order"])
    chosen = units.index[(units["n"].cumsum() - units["n"]) < n]
    return list(table.loc[table["unit"].isin(chosen), "image"])


def as_manifest(
    rows: Sequence[dict[str, str]], excluded: Sequence[Excluded], where: str, expected: str = ""
) -> Manifest:
    """Build a manifest from rows with keys of `COLUMNS`; what a row does not have is empty.

    Parameters
    ----------
    rows : sequence of dict
        One an image.
    excluded : sequence of Excluded
        What was left out.
    where : str
        What the user gave as errors name it, such as `Source.where`.
    expected : str
        What the layout looks for, for messages.

    Raises
    ------
    UserError
        No usable image, or images of a single expression.
    """
    whole = [{name: row.get(name, "") for name in COLUMNS} for row in rows]
    table = pd.DataFrame(whole, columns=list(COLUMNS)).sort_values("image").reset_index(drop=True)
    if table.empty:
        seen = "found none"
        if excluded:
            first = f"{excluded[0].file}: {excluded[0].reason}"
            seen = f"all {len(excluded)} files were left out, the first is {first}" if len(excluded) > 1 else first
        raise UserError(f"{where}: no usable image; expected {expected or 'pictures'}; {seen}")
    manifest = Manifest(table, tuple(sorted(excluded, key=lambda e: e.file)))
    need_expressions(manifest, where)
    return manifest


def need_expressions(manifest: Manifest, where: str) -> None:
    """Refuse images of a single expression: there is nothing to tell apart.

    Raises
    ------
    UserError
        Fewer than two labels.
    """
    labels = sorted(manifest.table["label"].unique())
    if len(labels) < 2:
        raise UserError(f"{where}: all {len(manifest)} usable images show {labels[0]}; expected several expressions")
