"""What `fer-bench data inspect` answers: what a dataset holds, what is left out and why, what it can be used for."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING

from fer_bench.data import CROP_WORDS
from fer_bench.data.left_out import by_reason
from fer_bench.labels import EMOTION_NAMES, EMOTIONS, VIEWS

from .option_names import as_options

if TYPE_CHECKING:
    from fer_bench.data.manifest import Dataset, Excluded

__all__ = ["inspect_lines"]

_SHOWN = 20
"""Names of one reason that are shown unless all are asked for."""


def inspect_lines(dataset: Dataset, *, everything: bool = False) -> Iterator[str]:
    """Count what is in a dataset; excluded files by reason, with all their names where they are few or asked for."""
    manifest = dataset.manifest
    yield f"{dataset.name}: {len(manifest)} usable images, {len(manifest.excluded)} files left out"
    if manifest.count:
        yield manifest.count.sentence
    if dataset.layout:
        yield f"layout: {dataset.layout}. {dataset.layout_summary}"
    yield dataset.notice
    yield from map(as_options, dataset.notes)
    chosen = dataset.crop_choice
    yield as_options(chosen.sentence) if chosen else f"crop {dataset.crop}: {CROP_WORDS[dataset.crop]}"
    yield from _label_lines(dataset)
    yield from _count_lines(dataset)
    yield ""
    yield from _crosstab_lines(dataset)
    yield ""
    yield from _protocol_lines(dataset)
    yield from _excluded_lines(manifest.excluded, everything)


def _label_lines(dataset: Dataset) -> Iterator[str]:
    """How the dataset's own words became codes."""
    if dataset.layout:
        from fer_bench.data.layouts.known import load_layouts

        words = defaultdict(list)
        for word, code in load_layouts()[dataset.layout].labels.items():
            words[code].append(word)
        yield "expressions as they are read: " + ", ".join(f"{code} from {'/'.join(w)}" for code, w in words.items())


def _count_lines(dataset: Dataset) -> Iterator[str]:
    table = dataset.manifest.table
    columns = {
        "gender": "women (F) and men (M)",
        "session": "sessions",
        "view": "views",
        "split": "parts of the data's own split",
    }
    for column, title in columns.items():
        counts = Counter(table[column])
        if set(counts) != {""}:
            yield f"images by {title}: " + ", ".join(f"{k or 'not given'} {v}" for k, v in sorted(counts.items()))
    untold = [column for column in columns if table[column].eq("").all()]
    if untold:
        yield f"not given: {', '.join(untold)}"
    people = len(dataset.manifest.people)
    if people:
        each = table.groupby("subject").size()
        yield f"people: {people}, with {each.min()} to {each.max()} images each"
    else:
        yield f"people: not given; {dataset.why_no_people or 'nothing says who is on which picture'}"
    if table["sequence"].ne("").any():
        each = table.loc[table["sequence"].ne("")].groupby("sequence").size()
        yield f"sequences of pictures taken in one go: {len(each)}, with {each.min()} to {each.max()} images each"


def _crosstab_lines(dataset: Dataset) -> Iterator[str]:
    """Expressions by views, or by parts of the split; expressions that are not there have no row."""
    from .tables import columns

    table = dataset.manifest.table
    column = "view" if table["view"].ne("").any() else "split"
    values = sorted(set(table[column]) - {""}, key=lambda v: (VIEWS.index(v) if v in VIEWS else len(VIEWS), v))
    counts = Counter(zip(table["label"], table[column], strict=True))
    totals = Counter(table["label"])
    rows = [("EXPRESSION", "IMAGES", *values)]
    for code, name in zip(EMOTIONS, EMOTION_NAMES, strict=True):
        if totals[code]:
            rows.append((f"{code} {name}", str(totals[code]), *(str(counts[code, value]) for value in values)))
    yield from columns(rows)
    missing = [f"{c} {n}" for c, n in zip(EMOTIONS, EMOTION_NAMES, strict=True) if not totals[c]]
    if missing:
        yield f"absent: {', '.join(missing)}"


def _protocol_lines(dataset: Dataset) -> Iterator[str]:
    from fer_bench.folds.doubts import examine_data
    from fer_bench.folds.protocols import PROTOCOLS, unsupported

    reasons = unsupported(dataset.manifest, dataset.why_no_people)
    able = [name for name in PROTOCOLS if name not in reasons]
    yield f"protocols that these data support: {', '.join(able) or 'none'}"
    names = defaultdict(list)
    for name, reason in reasons.items():
        names[reason].append(name)
    for reason, same in names.items():
        yield f"not supported, {', '.join(same)}: {as_options(reason)}"
    yield from examine_data(dataset.manifest).warnings


def _excluded_lines(excluded: tuple[Excluded, ...], everything: bool) -> Iterator[str]:
    for group in by_reason((file.file, file.reason) for file in excluded):
        files = list(group.details)
        yield ""
        yield f"left out, {len(files)} file{'s' if len(files) > 1 else ''}: {group.kind}"
        shown = files if everything or len(files) <= _SHOWN else files[: _SHOWN // 2]
        for name, detail in shown:
            yield f"  {name}" + (f": {detail}" if detail else "")
        if len(shown) < len(files):
            yield f"  and {len(files) - len(shown)} more; --all shows them"
