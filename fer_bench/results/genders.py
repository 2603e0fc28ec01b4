"""Who of a run's people is a woman and who a man: what its manifest says, never what a name looks like."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from fer_bench.errors import UserError
from fer_bench.utils.people_names import gender_code

from .csv_files import find_manifest

__all__ = ["MAN", "WOMAN", "find_genders", "told_genders"]

WOMAN, MAN = "F", "M"
"""As the column ``gender`` of a manifest has them."""


def told_genders(table: pd.DataFrame) -> dict[str, str]:
    """Return the gender of each person for whom a manifest gives one and the same wherever it gives any.

    Parameters
    ----------
    table : DataFrame
        Columns ``subject`` and ``gender``, str; empty where a dataset does not give them.
    """
    gender = table["gender"].map(gender_code)
    told = table.assign(gender=gender).loc[table["subject"].ne("") & gender.ne(""), ["subject", "gender"]]
    told = told.drop_duplicates()
    once = told.drop_duplicates("subject", keep=False).sort_values("subject")
    return dict(zip(once["subject"], once["gender"], strict=True))


def find_genders(folder: Path, info: Mapping[str, Any]) -> dict[str, str]:
    """Return the gender of each person of a run: from ``run.json``, else from the manifest beside it.

    Runs written before run.json gave genders have them in ``manifest.csv`` alone; where that was not kept, nobody's is
    known.
    """
    told = info["dataset"].get("genders")
    if told is not None:
        return {str(person): code for person, gender in told.items() if (code := gender_code(str(gender)))}
    try:
        table = find_manifest(folder, ("subject", "gender"))
    except UserError:  # told as a doubt
        return {}
    return {} if table is None else told_genders(table)
