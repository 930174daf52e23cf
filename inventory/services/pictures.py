"""The pictures of products: a file in the storage, and its name in the product's row."""

from django.core.exceptions import ValidationError
from django.core.files import File
from django.core.files.storage import Storage
from django.db import transaction

from foundation.errors import InvalidInput
from foundation.locks import lock_record
from inventory.images import image_format, new_image_path
from inventory.models import Product


def set_picture(*, product_id: int, file: File) -> Product:
    """Gives the product this picture in place of the one it had.

    The file is written before the transaction, and the old one deleted after it: what is left over if the
    machine stops in between is a file that nobody names.

    Raises InvalidInput at "image" for what is no picture or too large, Missing.
    """
    try:
        kind = image_format(file)
    except ValidationError as error:
        raise InvalidInput.at("image", " ".join(error.messages)) from error
    name = storage().save(new_image_path(kind), file)
    try:
        return write_picture(product_id, name)
    except BaseException:
        storage().delete(name)
        raise


def remove_picture(*, product_id: int) -> Product:
    """Takes the product's picture away, if it has one. Raises Missing."""
    return write_picture(product_id, "")


@transaction.atomic
def write_picture(product_id: int, name: str) -> Product:
    """Writes the name of a stored file into the product's row. Raises Missing."""
    product = lock_record(Product, product_id)
    forget_picture(product.image.name)
    product.image.name = name
    product.save(update_fields=["image"])
    return product


def forget_picture(name: str | None) -> None:
    """Deletes a picture's file once the transaction that took its name out is committed."""
    if name:
        # Not a partial: where it fails, Django asks for its name.
        transaction.on_commit(lambda: storage().delete(name), robust=True)


def storage() -> Storage:
    """Where the products' pictures are kept."""
    return Product._meta.get_field("image").storage
