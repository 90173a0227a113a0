"""Content-addressed files of a network: artefacts and pictures.

The bytes of a file show what it is; its sender's name for it is not believed.
"""

import base64
import binascii
import hashlib
import io
import mimetypes
import re
import zipfile
from collections.abc import Collection, Sequence
from typing import Annotated

from pydantic import Field
from sqlalchemy import Select, delete, select
from sqlalchemy.orm import Session as OrmSession
from sqlalchemy.orm import defer

from service.access.act import Act
from service.errors import InvalidError, NotFoundError, TooLargeError
from service.files.safe_svg import make_safe
from service.runtime.runtime import Runtime
from service.storage.database import ReadSession, insert_new
from service.storage.paging import Window, order, page
from service.tables import Blob, Network

# The position of the signature in a file, the signature, and the media type that it shows.
SIGNS: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"GIF87a", "image/gif"),
    (0, b"GIF89a", "image/gif"),
    (8, b"WEBP", "image/webp"),
    (0, b"%PDF-", "application/pdf"),
    (4, b"ftypiso", "video/mp4"),
    (4, b"ftypmp4", "video/mp4"),
    (4, b"ftypavc1", "video/mp4"),
    (4, b"ftypM4V", "video/mp4"),
    (4, b"ftypM4A", "audio/mp4"),
    (0, b"\x1aE\xdf\xa3", "video/webm"),
    (0, b"ID3", "audio/mpeg"),
    (0, b"PK\x03\x04", "application/zip"),
)
# The media type of a ZIP: by a file in it, or by the signature that OpenDocument puts first.
OFFICE = {
    "word/document.xml": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xl/workbook.xml": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "ppt/presentation.xml": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
}
OPEN_DOCUMENT = re.compile(
    rb".{30}mimetype(application/vnd\.oasis\.opendocument\.(?:text|spreadsheet|presentation))", re.DOTALL
)
# The groups are atomic, so that no prologue is read more than once, however it is made.
SVG_START = re.compile(
    rb"(?:\xef\xbb\xbf)?(?>\s+|<\?(?>.*?\?>)|<!--(?>.*?-->)|<!DOCTYPE[^<>\[]*(?>\[[^\]]*\])?\s*>)*+<(?:[\w.-]+:)?svg[\s/>]",
    re.DOTALL,
)
CONTROL = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f]")
DATA_URL = re.compile(r"data:[^,]*;base64,(.*)", re.DOTALL)
PICTURES = frozenset({"image/png", "image/svg+xml"})

Picture = Annotated[
    str,
    Field(
        description="PNG or SVG: the `sha256` of a file posted to /v1/blobs, or a `data:` address in base64",
        examples=["data:image/png;base64,iVBORw0KGgo..."],
    ),
]


def sniff(content: bytes) -> str:
    """Return the media type that the bytes show.

    Raises:
        InvalidError: none of those that are accepted (code "blob-type-unknown").
    """
    for offset, sign, media_type in SIGNS:
        if content.startswith(sign, offset):
            return _packed(content) if media_type == "application/zip" else media_type
    if SVG_START.match(content):
        return "image/svg+xml"
    try:
        if not CONTROL.search(content.decode()):
            return "text/plain"
    except UnicodeDecodeError:
        pass
    raise InvalidError(
        "blob-type-unknown",
        "Expected a picture (PNG, JPEG, GIF, WebP, SVG), PDF, MP4, WebM, MP3, office document, ZIP or UTF-8 text.",
    )


def store(act: Act, runtime: Runtime, received: bytes) -> tuple[Blob, bool]:
    """Store a file; return its row (without the content) and whether it is new.

    SVG is made safe first.

    Raises:
        InvalidError: empty, of no accepted type, or SVG that cannot be made safe.
        TooLargeError: longer than `settings.max_blob_bytes` (code "body-too-large").
    """
    limit = runtime.settings.max_blob_bytes
    if len(received) > limit:
        raise TooLargeError("body-too-large", f"Expected a file of at most {limit} bytes, got {len(received)}.")
    if not received:
        raise InvalidError("blob-empty", "Expected a file, got nothing.")
    media_type = sniff(received)
    content = make_safe(received) if media_type == "image/svg+xml" else received
    values = {
        "network_id": act.network.id,
        "sha256": hashlib.sha256(content).hexdigest(),
        "media_type": media_type,
        "size_bytes": len(content),
        "content": content,
        "created_at": act.now,
    }
    created = insert_new(act.session, Blob, values)
    return act.session.scalars(_without_content(act.network).where(Blob.sha256 == values["sha256"])).one(), created


def store_picture(act: Act, runtime: Runtime, image: str) -> str:
    """Return the SHA-256 of a picture, given as a `Picture`.

    A picture in a `data:` address is stored.

    Raises:
        InvalidError: not PNG or SVG, or not of this network; the pointer is "/image".
    """
    embedded = DATA_URL.fullmatch(image)
    if embedded is None:
        media_type = act.session.scalar(
            select(Blob.media_type).where(Blob.network_id == act.network.id, Blob.sha256 == image.lower())
        )
        sha256 = image.lower()
        if media_type is None:
            raise InvalidError(
                "picture-unknown",
                "Expected the sha256 of a file of this network, or a data: address in base64.",
                "/image",
            )
    else:
        try:
            blob, _ = store(act, runtime, base64.b64decode(embedded[1], validate=True))
        except binascii.Error as error:
            raise InvalidError(
                "picture-unknown", "Expected base64 after the comma of the data: address.", "/image"
            ) from error
        except InvalidError as error:
            raise InvalidError(error.code, error.message, "/image") from error
        media_type, sha256 = blob.media_type, blob.sha256
    if media_type not in PICTURES:
        raise InvalidError("picture-type", f"Expected a picture in PNG or SVG, got {media_type}.", "/image")
    return sha256


def get(session: OrmSession, network: Network, sha256: str) -> Blob:
    """Return a file of the network, with its content.

    Raises:
        NotFoundError: the network has none with this digest (code "blob-unknown").
    """
    blob = session.get(Blob, (network.id, sha256.lower()))
    if blob is None:
        raise NotFoundError("blob-unknown", "No file of this network has this sha256.")
    return blob


def list_blobs(
    session: ReadSession, network: Network, *, window: Window, media_type: str | None, sort: str | None = None
) -> tuple[Sequence[Blob], str | None]:
    """Return the network's files without their content, in the order of their digests or by when they came.

    Args:
        sort: sha256 or created_at, with `-` before it for the falling order.
    """
    query = _without_content(network)
    if media_type is not None:
        query = query.where(Blob.media_type == media_type)
    by = order(sort, sha256=(Blob.sha256,), created_at=(Blob.created_at, Blob.sha256))
    return page(session, query, window, by)


def remove(act: Act, digests: Collection[str]) -> None:
    """Delete files of the network that nothing names any more."""
    act.session.execute(delete(Blob).where(Blob.network_id == act.network.id, Blob.sha256.in_(digests)))


def ending(media_type: str) -> str:
    """Return the file name extension for an accepted media type, with its dot.

    Return "" if there is none.
    """
    return mimetypes.guess_extension(media_type, strict=False) or ""


def _without_content(network: Network) -> Select[Blob]:
    return select(Blob).where(Blob.network_id == network.id).options(defer(Blob.content))


def _packed(content: bytes) -> str:
    open_document = OPEN_DOCUMENT.match(content)
    if open_document:
        return open_document[1].decode()
    try:
        names = set(zipfile.ZipFile(io.BytesIO(content)).namelist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise InvalidError("blob-type-unknown", "Expected a whole ZIP file, got one that is damaged.") from error
    return next((media_type for name, media_type in OFFICE.items() if name in names), "application/zip")
