"""Bytes to pixels: every mode, every turn, and damage told in a sentence."""

import io

import cv2
import numpy as np
import pytest
from damage import BOMBS, header_bomb
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from fer_bench.data.images.pictures import decode, glance, read_pictures
from fer_bench.data.manifest import as_manifest
from fer_bench.data.sources.open_source import open_source
from fer_bench.errors import UserError


def face(width: int = 120, height: int = 160, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    small = rng.integers(0, 256, (8, 6, 3), dtype=np.uint8)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)


def saved(picture: Image.Image | np.ndarray, kind: str = "JPEG", **options) -> bytes:
    target = io.BytesIO()
    (picture if isinstance(picture, Image.Image) else Image.fromarray(picture)).save(target, kind, **options)
    return target.getvalue()


@pytest.mark.parametrize(
    "options", [{}, {"quality": 30}, {"progressive": True}, {"subsampling": 0}, {"optimize": True}]
)
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_the_fast_decoder_gives_the_pixels_of_the_other(mode, options):
    """OpenCV's RGB of a JPEG is Pillow's, value by value: no swapped channels, no other rounding."""
    data = saved(Image.fromarray(face()).convert(mode), **options)
    np.testing.assert_array_equal(decode(data), np.asarray(Image.open(io.BytesIO(data)).convert("RGB")))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_pictures_are_turned_as_exif_says(kind, orientation):
    """All eight orientations stand upright, as Pillow's own function turns them; size and small copy likewise."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = saved(face(), kind, exif=exif)
    with Image.open(io.BytesIO(data)) as opened:
        upright = np.asarray(ImageOps.exif_transpose(opened).convert("RGB"))
    np.testing.assert_array_equal(decode(data), upright)
    seen = glance(data)
    assert (seen.height, seen.width) == upright.shape[:2]
    grey = cv2.cvtColor(upright, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, (12, 12), interpolation=cv2.INTER_AREA).astype(float)
    assert np.abs(cv2.resize(seen.grey, (12, 12), interpolation=cv2.INTER_AREA) - small).max() < 12


def test_sixteen_bits_become_the_upper_eight():
    """A 16-bit ramp is a ramp in 8 bits, in PNG and TIFF, neither clipped nor wrapped."""
    ramp = np.tile(np.arange(0, 65536, 512, dtype=np.uint16), (40, 1))
    for kind in ("PNG", "TIFF"):
        np.testing.assert_array_equal(decode(saved(Image.fromarray(ramp), kind))[..., 1], (ramp >> 8).astype(np.uint8))
    wide = Image.fromarray(ramp.astype(np.int32))
    np.testing.assert_array_equal(decode(saved(wide, "TIFF"))[..., 0], (ramp >> 8).astype(np.uint8))


def test_palette_grey_bilevel_and_cmyk_become_rgb():
    """What a viewer shows is what is decoded, whatever the mode."""
    rgb = Image.fromarray(face())
    cases = {
        "palette": (saved(rgb.quantize(64), "PNG"), rgb.quantize(64).convert("RGB")),
        "gif": (saved(rgb.quantize(64), "GIF"), rgb.quantize(64).convert("RGB")),
        "grey": (saved(rgb.convert("L"), "PNG"), rgb.convert("L").convert("RGB")),
        "bilevel": (saved(rgb.convert("1"), "TIFF"), rgb.convert("1").convert("RGB")),
        "cmyk": (saved(rgb.convert("CMYK"), "TIFF"), rgb.convert("CMYK").convert("RGB")),
        "bmp": (saved(rgb, "BMP"), rgb),
        "webp": (saved(rgb, "WEBP", lossless=True), rgb),
        "ppm": (saved(rgb, "PPM"), rgb),
    }
    for name, (data, expected) in cases.items():
        np.testing.assert_array_equal(decode(data), np.asarray(expected), err_msg=name)
    printed = decode(saved(rgb.convert("CMYK"), "JPEG", quality=95)).astype(int)
    assert np.abs(printed - np.asarray(rgb.convert("CMYK").convert("RGB"))).mean() < 4


def test_transparent_pixels_lie_on_white():
    """Alpha of 0 is white, of 255 the colour, between them a mixture; also in grey and in palettes."""
    colour = np.zeros((40, 40, 4), np.uint8)
    colour[..., 0] = 200
    colour[..., 3] = np.repeat([0, 128, 255, 255], 10)
    decoded = decode(saved(Image.fromarray(colour, "RGBA"), "PNG"))
    assert (decoded[:, :10] == 255).all()
    assert (decoded[:, 20:] == (200, 0, 0)).all()
    assert 100 < decoded[0, 15, 1] < 150
    grey = decode(saved(Image.fromarray(colour, "RGBA").convert("LA"), "PNG"))
    assert (grey[:, :10] == 255).all()
    palette = Image.fromarray(np.zeros((40, 40), np.uint8), "P")
    palette.putpalette([9, 9, 9])
    assert (decode(saved(palette, "PNG", transparency=0)) == 255).all()


@pytest.mark.parametrize("kind", BOMBS)
def test_a_header_that_promises_too_many_pixels_is_refused_before_they_are_made(kind):
    """20,000x20,000 in the header is told as too many pixels, without taking memory for them."""
    data = header_bomb(saved(face(64, 64), kind), kind)
    for look in (decode, glance):
        with pytest.raises(ValueError, match="pixels"):
            look(data)


@given(st.sampled_from(["JPEG", "PNG", "BMP", "GIF"]), st.floats(0, 0.97), st.booleans())
@settings(deadline=None, max_examples=60)
def test_a_truncated_picture_is_damaged_and_never_half_a_picture(kind, share, progressive):
    """Cut anywhere before its last part, a file is refused by both ways of reading it, with one line."""
    data = saved(face(), kind, **({"progressive": True} if progressive and kind == "JPEG" else {}))
    cut = data[: int(share * len(data))]
    for look in (decode, glance):
        with pytest.raises(ValueError) as error:
            look(cut)
        assert "\n" not in str(error.value)
        assert " at 0x" not in str(error.value)


def complaint(look, data: bytes) -> str:
    """What a way of reading says against a file; empty where it takes it."""
    try:
        look(data)
    except ValueError as error:
        return str(error) or "nothing said"
    return ""


@pytest.mark.filterwarnings("ignore::UserWarning")
@given(st.sampled_from(["JPEG", "PNG", "BMP", "GIF", "TIFF"]), st.lists(st.integers(0, 10**6), min_size=1, max_size=30))
@settings(deadline=None, max_examples=150)
def test_flipped_bits_are_a_picture_or_a_sentence(kind, flips):
    """Whatever bits flip, the outcome is pixels or a ValueError of one line, and a glance never passes what decoding
    refuses."""
    data = bytearray(saved(face(), kind))
    for flip in flips:
        data[flip // 8 % len(data)] ^= 1 << flip % 8
    decoded, glanced = (complaint(look, bytes(data)) for look in (decode, glance))
    assert "\n" not in decoded + glanced
    assert not decoded or glanced


def test_other_kinds_of_file_are_no_pictures():
    """PostScript, which can run programs, and text are not opened, whatever they are called."""
    for data in (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 64 64\n", b"hello", b"", b"<svg></svg>"):
        with pytest.raises(ValueError, match=r"not a picture|cannot be read here"):
            decode(data)


def test_floats_have_no_agreed_range():
    """A picture of floating-point numbers is refused with what to do."""
    with pytest.raises(ValueError, match="8 or 16 bits"):
        decode(saved(Image.fromarray(np.ones((40, 40), np.float32)), "TIFF"))


def test_a_file_that_changed_since_it_was_checked_is_named(tmp_path):
    """A picture that was replaced, or is gone, between the check and the reading stops the run by its name."""
    import hashlib

    rows = []
    for label in ("AN", "HA"):
        data = saved(face(seed=len(rows)))
        (tmp_path / f"{label}.jpg").write_bytes(data)
        sha256 = hashlib.sha256(data).hexdigest()
        rows.append({"image": label, "label": label, "file": f"{label}.jpg", "sha256": sha256})
    manifest = as_manifest(rows, [], "here")
    source = open_source(tmp_path)
    assert len(list(read_pictures(source, manifest, 2))) == 2
    (tmp_path / "HA.jpg").write_bytes(saved(face(seed=9)))
    with pytest.raises(UserError, match=r"HA\.jpg.*changed"):
        list(read_pictures(source, manifest, 2))
    (tmp_path / "HA.jpg").unlink()
    with pytest.raises(UserError, match=r"HA\.jpg"):
        list(read_pictures(source, manifest, 2))
