"""What to cite, as BibTeX: the benchmark, the pictures, the article, and every method that was used."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..model.report_run import ReportRun
from .published import load_published

__all__ = ["bibtex", "method_entries"]

_SOURCE = re.compile(r"(?P<who>.+?) (?P<year>(?:18|19|20)\d\d)\b(?P<rest>.*)", re.DOTALL)
_DOI = re.compile(r"doi\s+(?P<doi>10\.\d{4,9}/\S+?)[.,;]?(?=\s|$)")
_WORDS = {"~": r"\~{}", "^": r"\^{}", "\\": r"\textbackslash{}", "<": r"\textless{}", ">": r"\textgreater{}"}
_SPECIAL = str.maketrans({c: f"\\{c}" for c in "&%$#_{}"} | _WORDS)


def bibtex(runs: Sequence[ReportRun]) -> str:
    """Write the bibliography of runs: each work once.

    Parameters
    ----------
    views : sequence of ReportRun
    """
    versions = dict.fromkeys(
        (str(run.info.get("code", {}).get("version", "")), str(run.info.get("started", ""))[:4]) for run in runs
    )
    entries = [_software(version, year, place) for place, (version, year) in enumerate(versions)]
    entries += [_ARTICLE.replace("DOI", load_published().doi)]
    if any(_reads_kdef(run) for run in runs):
        entries.append(_KDEF)
    entries += method_entries([source for run in runs for source in _sources(run)])
    return "\n".join(dict.fromkeys(entries)) + "\n"


def method_entries(sources: Sequence[str]) -> list[str]:
    """Turn sources such as "Cortes and Vapnik 1995, doi 10.1007/BF00994018" into entries, one line each.

    Parameters
    ----------
    sources : sequence of str
        As ``MethodSpec.reference`` gives them. Where no year is found the whole text becomes the entry's note. The
        article itself, which has an entry of its own, is left out.
    """
    own, entries, keys = load_published().doi, [], set[str]()
    for source in dict.fromkeys(" ".join(text.split()) for text in sources):
        found, doi = _SOURCE.match(source), _DOI.search(source)
        if not source or (doi and doi["doi"] == own):
            continue
        number, key = 1, _key(found["who"], found["year"]) if found else _key(source, "")
        while (wanted := key if number == 1 else f"{key}{chr(96 + number)}") in keys:
            number += 1
        keys.add(wanted)
        fields = {"author": _authors(found["who"]), "year": found["year"]} if found else {"note": _plain(source)}
        rest = _DOI.sub("", found["rest"]).strip(" ,;.") if found else ""
        if rest:
            fields["note"] = _plain(rest)
        if doi:
            bare = doi["doi"].translate(str.maketrans("", "", "{}\\"))
            fields["doi"] = bare.replace("<", _WORDS["<"]).replace(">", _WORDS[">"])
        body = ", ".join(f"{name} = {{{value}}}" for name, value in fields.items())
        entries.append(f"@misc{{{wanted}, {body}}}")
    return entries


def _reads_kdef(run: ReportRun) -> bool:
    return not run.layouts or bool({"kdef", "kaggle-kdef"} & set(run.layouts))  # without a layout: KDEF's grammar


def _sources(run: ReportRun) -> list[str]:
    planned = set(run.data.trials["method"])
    return [str(told.get("reference") or "") for name, told in run.info["methods"].items() if name in planned]


def _key(who: str, year: str) -> str:
    letters = re.sub(r"[^A-Za-z]", "", re.split(r",| and | & | et al", who)[0].split(" in ")[-1]) or "source"
    return f"{letters.lower()[:24]}{year}"


def _authors(who: str) -> str:
    """Names as BibTeX parts them; words that are no names stay together."""
    said = who.split(" in ")[-1].removesuffix(" et al.")
    names = [name.strip() for name in re.split(r",| and | & ", said) if name.strip()]
    return " and ".join([*map(_plain, names), *(["others"] if "et al." in who else [])])


def _plain(text: str) -> str:
    return text.translate(_SPECIAL)


def _software(version: str, year: str, place: int) -> str:
    return f"""@software{{fer_bench{"" if place == 0 else place + 1},
  author  = {{{{The fer-bench developers}}}},
  title   = {{fer-bench: a benchmark of facial expression recognition}},
  version = {{{_plain(version)}}},
  year    = {{{_plain(year)}}}
}}"""


_ARTICLE = """@article{akhand2021,
  author  = {Akhand, M. A. H. and Roy, Shuvendu and Siddique, Nazmul and Kamal, Md Abdus Samad
             and Shimamura, Tetsuya},
  title   = {Facial Emotion Recognition Using Transfer Learning in the Deep CNN},
  journal = {Electronics},
  volume  = {10},
  number  = {9},
  pages   = {1036},
  year    = {2021},
  doi     = {DOI}
}"""

_KDEF = """@misc{kdef1998,
  author = {Lundqvist, Daniel and Flykt, Anders and {\\"O}hman, Arne},
  title  = {The Karolinska Directed Emotional Faces (KDEF)},
  note   = {CD-ROM, Department of Clinical Neuroscience, Psychology section, Karolinska Institutet},
  year   = {1998}
}
@article{goeleven2008,
  author  = {Goeleven, Ellen and De Raedt, Rudi and Leyman, Lemke and Verschuere, Bruno},
  title   = {The Karolinska Directed Emotional Faces: A validation study},
  journal = {Cognition and Emotion},
  volume  = {22},
  number  = {6},
  pages   = {1094--1118},
  year    = {2008},
  doi     = {10.1080/02699930701626582}
}"""
