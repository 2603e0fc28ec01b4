"""Where the figures come from: code, hashes, packages, machine; how to reproduce and to cite them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from fer_bench.utils.commands import call_arguments

from ..model.comparisons import ADJUSTED_P
from ..model.paths import published_command, without_folders
from ..model.report_run import ReportRun
from ..model.tables import Block, Code, Column, Section, Table
from ..model.wording import GIVEN, apart, input_words
from .bibliography import bibtex
from .data import fact_table
from .forecast import foreseen_tables

__all__ = ["citation_section", "provenance_section", "words_section"]


def provenance_section(run: ReportRun, suffix: str) -> Section:
    """Everything a rerun has to agree on."""
    info = run.info
    code, machine = info.get("code", {}), info.get("machine", {})
    facts = [
        ("command", f"`{published_command(str(info['command']))}`"),
        ("suite, profile, preset", f"{info['suite']}, {info['profile']}, {info['preset']}"),
        ("seed", str(info["seed"])),
        ("fer-bench", _code_words(code)),
        ("started, finished (UTC)", f"{info.get('started', '')}, {info.get('finished', '')}"),
        ("workers, device", f"{info.get('workers', '')}, {info.get('device', '')}"),
        ("processor", f"{machine.get('cpu', '')}, {machine.get('cores', '')} cores"),
        ("memory", f"{machine.get('memory_gb', '')} GB"),
        ("GPU", ", driver ".join(filter(None, [str(machine.get("gpu") or "none"), machine.get("gpu_driver")]))),
        ("linear algebra", _library_words(info.get("libraries") or ())),
        ("threads of a trial", ", ".join(sorted({f"{n:.0f}" for n in _threads(run)}))),
        ("environment", " ".join(f"{name}={value}" for name, value in (info.get("environment") or {}).items())),
        *(("note", without_folders(str(note))) for note in info.get("notes", ())),
        ("system", f"{machine.get('platform', '')}, Python {machine.get('python', '')}"),
    ]
    packages = [(name, str(version)) for name, version in sorted(info.get("packages", {}).items())]
    blocks: list[Block] = [fact_table(f"run{suffix}", "The run", facts), _protocols(run, suffix)]
    blocks += [fact_table(f"packages{suffix}", "Packages", packages)] if packages else []
    blocks.append(_methods(run, suffix))
    blocks += foreseen_tables(run, suffix)
    return Section(f"provenance{suffix}", "Provenance", tuple(blocks))


def citation_section(run: ReportRun, suffix: str) -> Section:
    """The command that reproduces these figures, and what to cite."""
    info = run.info
    version, command = str(info.get("code", {}).get("version", "")), str(info["command"])
    references: dict[str, list[str]] = {}
    planned = set(run.data.trials["method"])
    for name, method in info["methods"].items():
        if method.get("reference") and name in planned:
            references.setdefault(str(method["reference"]), []).append(name)
    others = set(run.layouts) - {"kdef", "kaggle-kdef"}
    asked = " Cite the pictures as their makers ask you to." if others else ""
    columns = (Column("reference", "source"), Column("methods", "methods"))
    rows = tuple({"reference": source, "methods": ", ".join(names)} for source, names in references.items())
    table = [Table(f"sources{suffix}", "Sources of the methods", columns, rows, head="reference", folded=True)]
    return Section(
        f"cite{suffix}",
        "Reproduce and cite",
        (
            f"With fer-bench {version} and the packages above, this command makes the same folds; compare the hashes. "
            "Figures of networks may differ in the last digits between machines.",
            Code(published_command(command), "sh" if call_arguments(command) is None else "python"),
            "Cite what you used: the benchmark, the pictures, the article whose tables it answers, and each method. "
            "`references.bib` beside this report holds the same." + asked,
            Code(bibtex([run]), "bibtex"),
            *(table if rows else ()),
        ),
    )


def words_section(tables: Iterable[Table]) -> Section:
    """Every heading that has an explanation, in one place, for paper and for keyboards."""
    helps = {column.title: column.help for table in tables for column in table.columns if column.help}
    statistics = [
        (
            "95 % interval",
            "made so that, over many samples of people (or of what stands in for them), it holds the true figure 95 "
            "times in 100",
        ),
        (
            "sign-flip test",
            "how often two equally good methods would lie so far apart by the chance of who was tested",
        ),
        (
            "p (Holm)",
            "p, raised for the number of comparisons made or picked from (given above each column), so that one in "
            "many is not found by luck; intervals are not widened for that",
        ),
        (
            ADJUSTED_P,
            "how often the luck of who was tested makes any two of equally good methods lie so far apart, all pairs of "
            "methods looked at together (Westfall and Young's largest statistic); the interval beside it is made so, "
            "and leaves zero out exactly where p < 0.05",
        ),
        ("fold", "one part of the images, tested once by a method trained on the others"),
    ]
    merged = {**helps, **dict(statistics)}
    rows = tuple({"word": word, "meaning": meaning} for word, meaning in sorted(merged.items(), key=_alphabetical))
    columns = (Column("word", "term"), Column("meaning", "meaning"))
    return Section("words", "Glossary", (Table("glossary", "What the headings mean", columns, rows, head="word"),))


def _alphabetical(item: tuple[str, str]) -> tuple[str, str]:
    return item[0].lower(), item[0]


def _library_words(libraries: Iterable[Mapping[str, Any]]) -> str:
    """Names of the linear algebra libraries, with the processor that each took the machine for."""
    told = [
        " ".join(str(found[key]) for key in ("internal_api", "version") if found.get(key))
        + (f" for {found['architecture']}" if found.get("architecture") else "")
        for found in libraries
    ]
    return ", ".join(told)


def _threads(run: ReportRun) -> list[float]:
    trials = run.data.trials
    # Empty where no worker lived to tell.
    return [float(n) for n in trials["threads"].dropna().unique() if n != ""] if "threads" in trials else []


def _code_words(code: Any) -> str:
    dirty = ", with changes that are not committed" if code.get("dirty") else ""
    commit = f", commit {code['commit']}" if code.get("commit") else ""
    return f"{code.get('version', '')}{commit}{dirty}"


def _protocols(run: ReportRun, suffix: str) -> Table:
    rows = []
    for name in run.protocols:
        found = run.info["protocols"].get(name, {})
        rows.append(
            {
                **{"protocol": run.shown(name), "splits": _splits(run, name)},
                **{"folds": found.get("n_folds"), "disjoint": apart(run, name)},
                "train": round(size) if (size := run.train_size(name)) == size else None,
                **{"tested": found.get("n_test"), "hash": found.get("folds_hash", "")},
                "summary": _summary(run, name),
            }
        )
    columns = (
        *(Column("protocol", "protocol"), Column("splits", "splits"), Column("folds", "folds", "count")),
        Column("disjoint", "people apart", "text", "whether nobody is both trained on and tested; see Leakage"),
        Column("train", "training images", "count", "mean over folds"),
        *(Column("tested", "tested images", "count"), Column("summary", "what it is")),
        Column("hash", "hash of the folds", "code"),
    )
    return Table(f"protocols{suffix}", "Protocols", columns, tuple(rows), head="protocol")


def _summary(run: ReportRun, protocol: str) -> str:
    """What the protocol is, and where its folds do not keep that, their verdict."""
    summary = str(run.info["protocols"].get(protocol, {}).get("summary", ""))
    check = run.check(protocol)
    return summary if check.get("accepted", True) else f"{summary}; not so here, {check.get('conclusion', 'REFUSED')}"


def _splits(run: ReportRun, protocol: str) -> str:
    """What is assigned to folds; a file of folds does not say how it was made."""
    if protocol.startswith(GIVEN) and not run.unseen_people(protocol):
        return "as the file says"
    return f"by {run.info['protocols'].get(protocol, {}).get('splits_by', '?')}"


def _methods(run: ReportRun, suffix: str) -> Table:
    planned = set(run.data.trials["method"])
    rows = [
        {
            **{"method": name, "input": input_words(method), "version": method.get("version")},
            **{"tuning": method.get("tuning", ""), "weights": method.get("weights", "")},
            "params": json.dumps(method.get("params", {}), sort_keys=True),
            "summary": method.get("summary", ""),
        }
        for name, method in run.info["methods"].items()
        if name in planned
    ]
    columns = (
        *(Column("method", "method", "code"), Column("input", "input")),
        Column("version", "version", "count", "raised whenever the method's code gives other results"),
        Column("tuning", "tuning", "text", "what was searched for inside the training folds"),
        Column("weights", "pretrained weights", "text", "file and start of its sha256"),
        *(Column("params", "parameters", "code"), Column("summary", "what it does")),
    )
    return Table(f"methods{suffix}", f"Methods: {len(rows)}", columns, tuple(rows), folded=True)
