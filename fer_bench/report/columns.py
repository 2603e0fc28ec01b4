"""Columns that several sections share, each with its explanation."""

from .tables import Column

__all__ = ["ACCURACY", "FAMILY", "IMAGES", "METHOD", "PEOPLE"]

METHOD = Column("method", "method", "code", "classifier-features, or network-mode")
FAMILY = Column(
    "family", "family", "text", "classical: hand-made features; cnn: small networks; deep: ImageNet networks"
)
IMAGES = Column("n", "images", "count", "test images behind the figures of this row")
PEOPLE = Column("people", "people", "count", "people on these images; they are the unit of every interval")
ACCURACY = Column(
    "accuracy", "accuracy, %", "share", "share of test images read rightly, with its 95 % interval over people"
)
