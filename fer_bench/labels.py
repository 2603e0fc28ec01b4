"""The words of the field, in one order that every table, array and file keeps.

Source of the codes: KDEF's file names (kdef.se), "AF01ANHL" = session A, woman 01, angry, half left.
"""

__all__ = ["EMOTIONS", "EMOTION_NAMES", "N_CLASSES", "SESSIONS", "VIEWS", "VIEW_NAMES"]

EMOTIONS: tuple[str, ...] = ("AF", "AN", "DI", "HA", "NE", "SA", "SU")
"""Expression codes; a label is an index into this tuple, and so is a column of probabilities."""

EMOTION_NAMES: tuple[str, ...] = ("afraid", "angry", "disgusted", "happy", "neutral", "sad", "surprised")
"""What the codes mean, in their order."""

N_CLASSES = len(EMOTIONS)
"""Seven."""

VIEWS: tuple[str, ...] = ("FL", "HL", "S", "HR", "FR")
"""Codes of KDEF's views, from full left to full right."""

VIEW_NAMES: tuple[str, ...] = ("full left", "half left", "straight", "half right", "full right")
"""What they mean, in their order."""

SESSIONS: tuple[str, ...] = ("A", "B")
"""KDEF's two sessions, each with all of a person's pictures."""
