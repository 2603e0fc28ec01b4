"""Random manifests as real data have them, and the names of protocols by what they promise."""

from hypothesis import Phase, settings
from hypothesis import strategies as st

from fer_bench.data.manifest import as_manifest
from fer_bench.folds.protocols import PROTOCOLS
from fer_bench.labels import EMOTIONS

CROSS_VALIDATION = [p.name for p in PROTOCOLS.values() if p.tests_all]
BY_PERSON = [p.name for p in PROTOCOLS.values() if p.splits_by == "person"]
BY_IMAGE = [p.name for p in PROTOCOLS.values() if p.splits_by == "image"]
ALL = [p.name for p in PROTOCOLS.values() if p.splits_by != "dataset"]

# A failing example is shown as it was found: shrinking tables of hundreds of rows takes minutes.
QUICK = settings(deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate))


@st.composite
def manifests(draw):
    """Manifests of 10 to 16 people with ragged numbers of pictures, as real data have after exclusions.

    Everybody is seen straight and from the left; expressions, further views, the second session and sexes are as they
    come. Somebody is seen in both sessions.
    """
    people = draw(st.integers(10, 16))
    sexes = draw(st.sampled_from(["FM", "FFM", "F", ""]))
    rows = []
    for person in range(people):
        subject, gender = f"p{person + 1:02d}", sexes[person % len(sexes)] if sexes else ""
        for label in sorted(draw(st.sets(st.sampled_from(EMOTIONS), min_size=2))):
            for view in ("S", "FL", "HL", "HR")[: draw(st.integers(2, 4))]:
                for session in "AB"[: 2 if person == 0 else draw(st.integers(1, 2))]:
                    row = {"image": f"{subject}{label}{view}{session}", "label": label, "subject": subject}
                    rows.append({**row, "gender": gender, "session": session, "view": view})
    return as_manifest(rows, [], "drawn")
