"""Checking the pictures that people upload."""

import uuid
import warnings
from typing import Any

from django.core.exceptions import ValidationError
from django.core.files import File
from django.utils.translation import gettext as _
from PIL import Image, UnidentifiedImageError

LARGEST_FILE = 5 * 1024 * 1024
LARGEST_SIDE = 8000
SUFFIXES = {"JPEG": "jpg", "PNG": "png", "WEBP": "webp"}


def image_format(file: File) -> str:
    """Returns "JPEG", "PNG" or "WEBP", read from the content and not from the name.

    Raises ValidationError with a sentence for a file that is none of these, is broken, or is too large
    (5 MB, 8,000 pixels a side; a decompression bomb is refused before it is unpacked).
    """
    if file.size > LARGEST_FILE:
        raise ValidationError(_("The picture is larger than 5 MB. Make it smaller and try again."))
    file.seek(0)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(file, formats=list(SUFFIXES)) as picture:
                kind, size = picture.format, picture.size
                picture.verify()
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError, Warning) as error:
        raise ValidationError(_("This file is not a picture. Choose a JPEG, PNG or WebP file.")) from error
    finally:
        file.seek(0)
    if max(size) > LARGEST_SIDE:
        raise ValidationError(_("The picture has more than 8,000 pixels on a side. Make it smaller and try again."))
    return str(kind)


def check_image(file: Any) -> None:
    """A field's validator: see `image_format`. A file that is stored already was checked when it came."""
    if getattr(file, "_committed", False):
        return
    image_format(file.file if hasattr(file, "file") else file)


def new_image_path(kind: str) -> str:
    """A name of our own with the suffix of the content: what a person called the file is never used."""
    return f"products/{uuid.uuid4().hex}.{SUFFIXES[kind]}"


def product_image_path(product: Any, filename: str) -> str:
    """Where a product's new picture goes."""
    return new_image_path(image_format(product.image.file))
