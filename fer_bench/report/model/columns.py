"""Columns that several sections share, each with its explanation."""

from fer_bench.stats import Unit

from .tables import Column

__all__ = ["FAMILY", "IMAGES", "METHOD", "accuracy_column", "unit_column"]

METHOD = Column("method", "method", "code", "classifier-features, or network-mode")
FAMILY = Column(
    *("family", "family", "text"),
    "classical: hand-made features; cnn: small networks; deep: ImageNet networks; beside them, and never compared as a "
    "family, literature: systems that the article names, and rendered: networks pretrained on rendered faces",
)
IMAGES = Column("n", "images", "count", "test images behind the figures of this row")


def unit_column(unit: Unit) -> Column:
    """How many people, or what stands in for them, are behind a row."""
    title = "images as units" if unit.name == "image" else unit.many
    return Column("people", title, "count", f"{unit.many} on these images; they are the unit of every interval")


def accuracy_column(unit: Unit) -> Column:
    """Accuracy over all test images."""
    return Column(
        "accuracy",
        "accuracy, %",
        "share",
        f"share of test images classified correctly, with its 95 % interval {unit.over}",
    )
