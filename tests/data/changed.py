"""What people do to pictures before they split them: saved anew, mirrored, turned, brighter, in another size."""

import io

from PIL import Image, ImageEnhance, ImageOps


def encoded(picture: Image.Image, kind: str = "JPEG", **options) -> bytes:
    target = io.BytesIO()
    picture.save(target, kind, **options)
    return target.getvalue()


def turned(picture: Image.Image, degrees: float) -> Image.Image:
    return picture.rotate(degrees, Image.Resampling.BILINEAR, fillcolor="grey")


CHANGES = {
    "saved anew": lambda p: encoded(p, quality=50),
    "grey": lambda p: encoded(p.convert("L"), quality=90),
    "half": lambda p: encoded(p.resize((p.width // 2, p.height // 2)), quality=90),
    "brighter": lambda p: encoded(ImageEnhance.Brightness(p).enhance(1.2), quality=90),
    "darker": lambda p: encoded(ImageEnhance.Brightness(p).enhance(0.7), quality=90),
    "contrast": lambda p: encoded(ImageEnhance.Contrast(p).enhance(0.7), quality=90),
    "mirrored": lambda p: encoded(ImageOps.mirror(p), quality=90),
    "turned 3 left": lambda p: encoded(turned(p, 3), quality=90),
    "turned 5 right": lambda p: encoded(turned(p, -5), quality=90),
    "turned 10 left": lambda p: encoded(turned(p, 10), quality=90),
    "corners black": lambda p: encoded(p.rotate(7), quality=90),
    "all at once": lambda p: encoded(ImageEnhance.Brightness(turned(ImageOps.mirror(p), 6)).enhance(0.8), quality=60),
}
"""Each takes a picture and returns a file."""
