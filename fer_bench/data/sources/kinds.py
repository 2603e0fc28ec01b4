"""What a file is: told by its first bytes, and by its name where these say nothing."""

from __future__ import annotations

import re
from pathlib import PurePath

__all__ = [
    "HEAD_BYTES",
    "NO_PICTURES",
    "PICTURES",
    "TABLES",
    "UNREAD",
    "ending",
    "is_systems_own",
    "is_table",
    "kind_of",
    "picture_format",
    "unread_format",
]

PICTURES = frozenset(
    {
        *(".jpg", ".jpeg", ".jpe", ".jfif", ".jif", ".png", ".bmp", ".dib", ".tif", ".tiff", ".gif", ".webp"),
        *(".pgm", ".ppm", ".pbm", ".pnm", ".avif", ".heic", ".heif", ".jp2", ".j2k", ".jxl", ".psd", ".svg"),
    }
)
"""Endings of picture files, lower case; files of other endings are pictures where their first bytes say so."""

TABLES = frozenset({".csv", ".tsv", ".tab"})
"""Endings of tables that can be read, lower case."""

HEAD_BYTES = 300
"""Of a file, what is looked at: a tar says at byte 257 that it is one."""

UNREAD = "which cannot be read here: save it as JPEG or PNG"
"""What to do about a picture in a format of other programs; follows its name and a comma."""

_FILM, _SOUND, _ARCHIVE = "a film", "a sound", "an archive"
_RAW, _OTHER_PICTURE = "a camera's raw picture", "a picture of another format"

_PICTURE_STARTS = (
    (b"\xff\xd8\xff", "JPEG"),
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"GIF87a", "GIF"),
    (b"GIF89a", "GIF"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"II+\0", "TIFF"),
    (b"MM\0+", "TIFF"),
    (b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000"),
    (b"\xff\x4f\xff\x51", "JPEG 2000"),
    (b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL"),
    (b"\xff\x0a", "JPEG XL"),
    (b"8BPS", "Photoshop's PSD"),
)
_OTHER_STARTS = (
    *((start, _ARCHIVE) for start in (b"PK\3\4", b"PK\5\6", b"PK\7\x08", b"\x1f\x8b", b"BZh", b"\xfd7zXZ\0")),
    *((start, _ARCHIVE) for start in (b"7z\xbc\xaf\x27\x1c", b"Rar!\x1a\7", b"\x28\xb5\x2f\xfd", b"\x04\x22\x4d\x18")),
    *(
        (start, _FILM)
        for start in (b"\x1a\x45\xdf\xa3", b"FLV\1", b"\0\0\1\xba", b"\0\0\1\xb3", b"0&\xb2u\x8ef\xcf\x11")
    ),
    *((start, _SOUND) for start in (b"ID3", b"fLaC", b"OggS")),
)


def _by_ending(kinds: dict[str, str]) -> dict[str, str]:
    return {end: kind for kind, endings in kinds.items() for end in endings.split()}


_ENDINGS = _by_ending(
    {
        _RAW: ".cr2 .cr3 .nef .arw .dng .raf .orf .rw2 .pef .srw",
        _OTHER_PICTURE: ".tga .pcx .ico .eps .ps .ras .sgi .xbm .xpm .fits .exr .hdr .dcm .xcf .ai .wmf .emf .dds",
        "a table": ".xlsx .xls .ods .parquet .feather",
        "a text": ".docx .doc .odt .rtf .pptx .pdf .epub",
        "not a picture": ".npy .npz .mat .pkl .pth .pt .h5 .jar .whl",
    }
)
"""What an ending says more exactly than the first bytes do: some are archives or TIFF inside."""
_WEAK_ENDINGS = _by_ending(
    {
        _FILM: ".mp4 .m4v .mov .avi .webm .mkv .mpg .mpeg .wmv .flv .3gp .mts .ts .ogv .h264",
        _ARCHIVE: ".zip .tar .gz .tgz .bz2 .tbz2 .xz .txz .7z .rar .zst .lz4 .iso .dmg",
        _SOUND: ".wav .mp3 .m4a .flac .ogg .aac .wma",
        "a text": ".txt .md .rst .html .htm .json .xml .yml .yaml .toml .log .ini .py .m .r",
        "a table": " ".join(TABLES),
    }
)
NO_PICTURES = frozenset(end for end, kind in _ENDINGS.items() if kind in (_RAW, _OTHER_PICTURE))
"""Endings of what begins as a picture does and is none that can be read: TIFF with a small preview, icons."""
_SYSTEMS_OWN = re.compile(
    r"(?:^|/)(?:\._"
    r"|(?:__MACOSX|@eaDir|\.Spotlight-V100|\.Trashes|\.fseventsd|\$RECYCLE\.BIN|System Volume Information)/"
    r"|(?i:\.ds_store|(?:eh)?thumbs\.db|desktop\.ini|\.directory|\.localized)$)"
)
_PART = re.compile(r"\.(\d{3}|z\d\d|r\d\d)")


def ending(path: PurePath) -> str:
    """Return a name's ending in lower case, without the blanks that some copies have behind it.

    Examples
    --------
    >>> ending(PurePath("happy/1.JPG "))
    '.jpg'
    """
    return path.suffix.strip().lower()


def is_table(path: PurePath | None) -> bool:
    """Tell whether a name is that of a table; a source has none where it is no file."""
    return path is not None and ending(path) in TABLES


def is_systems_own(name: str) -> bool:
    """Tell whether an operating system or an archiver made a file, and nobody wants it.

    Examples
    --------
    >>> is_systems_own("__MACOSX/happy/1.jpg"), is_systems_own("happy/Thumbs.db"), is_systems_own("happy/1.jpg")
    (True, True, False)
    """
    return _SYSTEMS_OWN.search(name) is not None


def picture_format(head: bytes) -> str:
    """Return the format of a picture by the first bytes of its file; empty where it is none."""
    for start, name in _PICTURE_STARTS:
        if head.startswith(start):
            return name
    if head[4:8] == b"ftyp":
        return _format_of_brands(head)
    if head.startswith(b"RIFF"):
        return "WEBP" if head[8:12] == b"WEBP" else ""
    # Two letters begin many a text, too.
    if head.startswith(b"BM"):
        return "BMP" if head[15:18] == b"\0\0\0" and head[14] in (12, 40, 52, 56, 64, 108, 124) else ""
    return "PPM" if re.match(rb"P[1-6]\s+[\d#]", head) else ""


def unread_format(head: bytes) -> str:
    """Return the format of a picture that needs another program to be read; empty for all others."""
    found = picture_format(head) or ("SVG" if re.match(rb"\s*(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)?<svg", head) else "")
    return found if found in ("HEIC", "AVIF", "JPEG 2000", "JPEG XL", "Photoshop's PSD", "SVG") else ""


def kind_of(path: PurePath, head: bytes) -> str:
    """Say what a file is that is no picture which can be read, such as ``"a film"``; ``"not a picture"`` for the rest.

    Parameters
    ----------
    path : path
        Its name.
    head : bytes
        Its first `HEAD_BYTES` bytes, or all of them; empty where they cannot be read.
    """
    end = ending(path)
    if end in _ENDINGS:
        return _ENDINGS[end]
    if head.startswith(b"RIFF"):
        return _SOUND if head[8:12] == b"WAVE" else _FILM
    if head[4:8] == b"ftyp":
        return _SOUND if head[8:11] == b"M4A" else _FILM
    if _PART.fullmatch(end) or head[257:262] == b"ustar":
        return _ARCHIVE
    for start, kind in _OTHER_STARTS:
        if head.startswith(start):
            return kind
    if _is_text(head):
        return "a table" if end in TABLES else "a text"
    return _WEAK_ENDINGS.get(end, "not a picture" if head else "an empty file")


def _format_of_brands(head: bytes) -> str:
    """AVIF, HEIC and films are one kind of container; its brands tell them apart."""
    size = min(int.from_bytes(head[:4], "big"), len(head))
    brands = [head[8:12], *(head[at : at + 4] for at in range(16, size - 3, 4))]
    if {b"avif", b"avis"} & set(brands):
        return "AVIF"
    pictures = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
    return "HEIC" if brands[0] in pictures else ""


def _is_text(head: bytes) -> bool:
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return True
    if not head or any(byte < 32 and byte not in b"\t\n\r\f\x1b" for byte in head):
        return False
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start > len(head) - 4  # cut within a letter
    return True
