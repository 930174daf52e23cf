"""The pictures of products over REST: what is a picture is kept, what is none is refused."""

import io
import random
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image

from inventory.models import Product
from inventory.services.pictures import storage
from tests.rest import Rest
from tests.shop import Shop

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path / "media"
    return tmp_path / "media"


@pytest.fixture
def tea() -> Product:
    return Shop.open().product("Tea")


@pytest.fixture
def manager() -> Rest:
    return Rest.of("manager")


def picture(kind: str = "PNG", size: tuple[int, int] = (8, 8)) -> bytes:
    content = io.BytesIO()
    Image.new("RGB", size, "brown").save(content, kind)
    return content.getvalue()


def upload(
    rest: Rest, product: Product, content: bytes, name: str = "cup.png", method: str = "put", **more: Any
) -> Any:
    body = {"image": SimpleUploadedFile(name, content)}
    return getattr(rest.client, method)(f"/api/v1/products/{product.pk}/image/", body, format="multipart", **more)


def files(media: Path) -> list[str]:
    return sorted(path.name for path in media.rglob("*") if path.is_file())


@pytest.mark.parametrize(("kind", "suffix"), [("PNG", "png"), ("JPEG", "jpg"), ("WEBP", "webp")])
def test_a_picture_gets_a_name_of_our_own(manager: Rest, tea: Product, media: Path, kind: str, suffix: str) -> None:
    answer = upload(manager, tea, picture(kind), name="../../evil.php")
    assert answer.status_code == 200, answer.content
    (name,) = files(media)
    assert name.endswith(f".{suffix}")
    assert answer.json()["image"] == f"http://testserver/media/products/{name}"
    assert manager.get(f"products/{tea.pk}/")["image"] == answer.json()["image"]


def test_a_new_picture_takes_the_place_of_the_old_file(
    manager: Rest, tea: Product, media: Path, django_capture_on_commit_callbacks: Any
) -> None:
    upload(manager, tea, picture())
    (old,) = files(media)
    with django_capture_on_commit_callbacks(execute=True):
        assert upload(manager, tea, picture("JPEG"), method="post").status_code == 200
    (new,) = files(media)
    assert new != old
    with django_capture_on_commit_callbacks(execute=True):
        assert manager.delete(f"products/{tea.pk}/image/", status=200) == {"image": None}
    assert files(media) == []
    assert Product.objects.get().image.name == ""


def test_a_deleted_product_takes_its_picture_along(
    manager: Rest, tea: Product, media: Path, django_capture_on_commit_callbacks: Any
) -> None:
    upload(manager, tea, picture())
    with django_capture_on_commit_callbacks(execute=True):
        manager.delete(f"products/{tea.pk}/")
    assert files(media) == []


@pytest.mark.django_db(transaction=True)
def test_an_old_file_that_can_not_be_deleted_is_no_failure(
    manager: Rest, tea: Product, media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(name: str) -> None:
        raise OSError("the disk is read-only")

    upload(manager, tea, picture())
    monkeypatch.setattr(storage(), "delete", broken)
    manager.delete(f"products/{tea.pk}/image/", status=200)
    assert not Product.objects.get().image


def test_a_repeated_key_stores_one_picture(manager: Rest, tea: Product, media: Path) -> None:
    first = upload(manager, tea, picture(), headers={"Idempotency-Key": "cup"})
    again = upload(manager, tea, picture(), headers={"Idempotency-Key": "cup"})
    other = upload(manager, tea, picture("JPEG"), headers={"Idempotency-Key": "cup"})
    assert (first.status_code, first.json(), again.json(), other.status_code) == (200, first.json(), first.json(), 422)
    assert len(files(media)) == 1


def bomb() -> bytes:
    """A PNG of a few hundred bytes that says it is 30,000 × 30,000."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * 90_000))
        + chunk(b"IEND", b"")
    )


def test_what_is_no_picture_is_refused(manager: Rest, tea: Product, media: Path) -> None:
    gif, bmp = io.BytesIO(), io.BytesIO()
    Image.new("RGB", (8, 8)).save(gif, "GIF")
    Image.new("RGB", (8, 8)).save(bmp, "BMP")
    for content in (
        b"no picture",
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"<?php echo 1;",
        b"\0" * 1000,
        gif.getvalue(),
        bmp.getvalue(),
        picture()[:20],
        picture()[:-20],
        bomb(),
        picture(size=(8001, 1)),
    ):
        answer = upload(manager, tea, content)
        assert answer.status_code == 400, (content[:20], answer.content)
        assert (answer.json()["type"], list(answer.json()["errors"])) == ("invalid", ["image"])
    assert Product.objects.get().image.name == ""
    assert files(media) == []


def test_a_damaged_picture_is_refused_and_never_fails(manager: Rest, tea: Product, media: Path) -> None:
    """Bytes changed at random: whatever the decoder makes of them, it is a sentence or a picture."""
    chance = random.Random(20)
    for kind in ("PNG", "JPEG", "WEBP"):
        whole = picture(kind, (40, 40))
        for _ in range(60):
            content = bytearray(whole)
            for _ in range(chance.randint(1, 8)):
                content[chance.randrange(len(content))] = chance.randrange(256)
            answer = upload(manager, tea, bytes(content[: chance.randint(1, len(content))]))
            assert answer.status_code in (200, 400), answer.content


@pytest.mark.parametrize("size", [5 * 1024 * 1024 + 1, 6 * 1024 * 1024])
def test_a_picture_of_more_than_five_megabytes_is_refused(manager: Rest, tea: Product, media: Path, size: int) -> None:
    content = picture()
    answer = upload(manager, tea, content + b"\0" * (size - len(content)))
    assert answer.status_code == 400
    assert answer.json()["errors"]["image"] == ["The picture is larger than 5 MB. Make it smaller and try again."]
    assert files(media) == []


def test_a_form_without_a_picture_is_refused(manager: Rest, tea: Product) -> None:
    path = f"/api/v1/products/{tea.pk}/image/"
    for body, at in (
        ({}, ["image"]),
        ({"image": "text"}, ["image"]),
        ({"picture": SimpleUploadedFile("a.png", picture())}, ["image", "picture"]),
        ({"image": SimpleUploadedFile("a.png", b"")}, ["image"]),
    ):
        answer = manager.client.put(path, body, format="multipart")
        assert (answer.status_code, sorted(answer.json()["errors"])) == (400, at), answer.content
    answer = manager.client.put(path, {"image": "x"}, format="json")
    assert (answer.status_code, answer.json()["type"]) == (415, "unsupported_media_type")
    answer = manager.client.put(path, b"garbage", content_type="multipart/form-data; boundary=x")
    assert (answer.status_code, answer.json()["type"]) == (400, "invalid")
    answer = manager.client.put(path, b"garbage", content_type="multipart/form-data")
    assert (answer.status_code, answer.json()["type"]) == (400, "invalid")


def test_a_picture_of_an_unknown_product_leaves_no_file(manager: Rest, tea: Product, media: Path) -> None:
    for pk in (999_999, 10**30):
        tea.pk = pk
        answer = upload(manager, tea, picture())
        assert (answer.status_code, answer.json()["type"]) == (404, "not_found")
    assert files(media) == []


def test_a_barista_sets_no_picture(tea: Product, media: Path) -> None:
    answer = upload(Rest.of("barista"), tea, picture())
    assert (answer.status_code, answer.json()["type"]) == (403, "permission_denied")
    assert files(media) == []
