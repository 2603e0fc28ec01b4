"""Finds the images of a table of folds in the data."""

from __future__ import annotations

from pathlib import PurePosixPath

import pandas as pd

from fer_bench.data.manifest import Manifest
from fer_bench.data.names import name_facts
from fer_bench.errors import UserError
from fer_bench.utils.spreadsheets import unguarded

__all__ = ["match_images"]


def match_images(names: pd.Series, manifest: Manifest, where: str) -> pd.Series:
    """Find each image of a table of folds in the data.

    By its name or its file; else by its file's name without ending, in any case, where the folders before it agree as
    far as both are given, or where the name is in a known dataset's grammar and so means one picture in any folder.

    Raises
    ------
    UserError
        An image is not in the data, or may be one of several.
    """
    find = _Finder(manifest)
    unique = {name: find(name) for name in names.unique()}
    missing = sorted(name for name, images in unique.items() if not images)
    if missing:
        namesake = find.namesake(missing[0])
        raise UserError(
            f"{where}: {len(missing)} of its {len(unique)} images are not in the data, such as {missing[0]}"
            + (f" (a picture of that name is in another folder: {namesake})" if namesake else "")
            + "; give the data that it was made for, or make folds anew with `fer-bench folds make`"
        )
    doubtful = sorted(name for name, images in unique.items() if len(images) > 1)
    if doubtful:
        raise UserError(
            f"{where}: {len(doubtful)} of its {len(unique)} images may be one of several pictures, such as "
            f"{doubtful[0]}: {', '.join(unique[doubtful[0]][:3])}; give their whole paths"
        )
    return names.map({name: images[0] for name, images in unique.items()})


class _Finder:
    """Finds images of a manifest by what another tool may call them."""

    def __init__(self, manifest: Manifest) -> None:
        table = manifest.table
        self._known = set(table["image"])
        self._ending = {image: _ending(file) for image, file in zip(table["image"], table["file"], strict=True)}
        self._by_file: dict[str, list[str]] = {}
        self._by_stem: dict[str, list[tuple[list[str], str]]] = {}
        for image, file in zip(table["image"], table["file"], strict=True):
            self._by_file.setdefault(file or image, []).append(image)
            parts = _parts(file or image)
            self._by_stem.setdefault(parts[-1], []).append((parts, image))

    def __call__(self, name: str) -> list[str]:
        """Images that the name may mean."""
        if name in self._known:
            return [name]
        if name in self._by_file:
            return self._by_file[name]
        parts = _parts(name)
        namesakes = self._by_stem.get(parts[-1], [])
        common = [(min(len(theirs), len(parts)), theirs, image) for theirs, image in namesakes]
        agreeing = [(n, image) for n, theirs, image in common if theirs[-n:] == parts[-n:]]
        most = max((n for n, _ in agreeing), default=0)
        found = [image for n, image in agreeing if n == most]
        if not found and name_facts(name):
            found = [image for _, image in namesakes]
        if not found and unguarded(name) != name:  # copied out of a table of ours
            return self(unguarded(name))
        # Of a.jpg and a.png the one with the ending that is given, where it is.
        same_ending = [image for image in found if self._ending[image] == _ending(name)]
        return same_ending if len(same_ending) == 1 else found

    def namesake(self, name: str) -> str:
        """An image whose file has the same name in another folder; empty where there is none."""
        return next((image for _, image in self._by_stem.get(_parts(name)[-1], [])), "")


def _ending(name: str) -> str:
    return PurePosixPath(name).suffix.upper()


def _parts(name: str) -> list[str]:
    """Folders and the file's name without its ending, in capitals."""
    path = PurePosixPath(name.replace("\\", "/").upper())
    return [*(part for part in path.parts[:-1] if part not in (".", "/")), path.stem]
