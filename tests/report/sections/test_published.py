"""What is told of the article is what was read of it: each figure with its status, and where print and code part."""

import pytest

from fer_bench.report.sections.published import load_published

PUBLISHED = load_published()


@pytest.mark.parametrize("part", ["beta2 = 0.009", "misprint of 0.999", "256 x 256", "JAFFE's format", "in colour"])
def test_departures_are_told(part: str) -> None:
    """A beta2 of 0.009 and grey pictures of 256 pixels are told as the article's print, and what was run instead."""
    assert any(part in sentence for sentence in PUBLISHED.departures)


def test_table_one_tells_of_both_figures_at_360_pixels() -> None:
    """73.87 of the table stands in the row, 73.38 of the text in a note and in the claim."""
    table = PUBLISHED.tables[0]
    assert table.rows[-1].published == pytest.approx(73.87)
    assert any("73.38" in note for note in table.notes)
    assert "73.38" in next(claim.says for claim in PUBLISHED.claims if claim.id == "larger")


def test_table_three_names_the_network_of_the_code() -> None:
    """VGG-19's figure is of VGG-19-BN, and ours of that network stands first beside it; recalled rows say so."""
    row = next(row for row in PUBLISHED.tables[2].rows if row.label.startswith("VGG-19"))
    assert "VGG-19-BN" in row.label
    assert row.ours[0] == "vgg19_bn-entire"
    read = {row.label for row in PUBLISHED.tables[2].rows if row.status == "verified"}
    assert read == {"VGG-16", "ResNet-50", "ResNet-152", "DenseNet-161"}


def test_deduced_rows_of_table_four_are_not_called_printed() -> None:
    """Two rows are printed and the others deduced from six errors of 490; the title, the status and a note say so."""
    confusion = PUBLISHED.confusion
    assert "two rows printed, the others deduced" in confusion.title
    assert "deduced" in confusion.status
    assert "deduced, not printed" in confusion.notes[0]
    counts = confusion.counts
    assert sum(map(sum, counts)) - sum(row[place] for place, row in enumerate(counts)) == 6


@pytest.mark.parametrize("claim", PUBLISHED.claims, ids=lambda claim: claim.id)
def test_no_claim_of_the_article_is_called_recalled(claim) -> None:
    """All six are printed in the article, whatever is known of their figures."""
    assert claim.status.startswith("printed in the article")
    assert "recalled" not in claim.status
