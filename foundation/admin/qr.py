"""QR pictures, to be read by a telephone's camera."""

import qrcode
from django.utils.safestring import SafeString, mark_safe
from qrcode.image.svg import SvgPathImage


def qr_picture(address: str) -> SafeString:
    """The address as an SVG to be put into the page: no request leaves the shop for it."""
    picture = qrcode.make(address, image_factory=SvgPathImage, border=2)
    # The library's own drawing: of the address only squares are left in it.
    return mark_safe(picture.to_string().decode())  # noqa: S308
