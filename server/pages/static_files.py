"""The stylesheet and the scripts of the pages, as files in static/.

The path of a file has a digest of all of them, so a browser may keep it: another version has another path.
While two versions of the server run, one may be asked for a file of the other: it answers with its own file,
which must not be kept.
"""

import gzip
import hashlib
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from starlette.requests import Request as HttpRequest
from starlette.responses import Response

from busware.server.http import problems
from busware.server.http.executor import response_with_etag

PATH = "/static/{digest}/{name}"
_MIME_TYPES = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
_YEAR = 365 * 86_400  # seconds


class _File(NamedTuple):
    content: bytes
    compressed: bytes
    mime_type: str


def path(name: str) -> str:
    """The path of a file."""
    return PATH.format(digest=_digest(), name=name)


async def answer(http: HttpRequest) -> Response:
    """Send a file."""
    file = _files().get(http.path_params["name"])
    if file is None:
        raise problems.of_status(404, "There is no such file.")
    compressed = accepts_gzip(http)
    response = response_with_etag(http, file.compressed if compressed else file.content, file.mime_type)
    if http.path_params["digest"] == _digest():
        response.headers["Cache-Control"] = f"public, max-age={_YEAR}, immutable"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Vary"] = "Accept-Encoding"
    if compressed and response.body:
        response.headers["Content-Encoding"] = "gzip"
    return response


def accepts_gzip(http: HttpRequest) -> bool:
    """Whether the client accepts compressed answers."""
    return "gzip" in http.headers.get("accept-encoding", "")


@cache
def _files() -> dict[str, _File]:
    found = {}
    for file in sorted(
        files("busware.server.pages").joinpath("static").iterdir(), key=lambda file: file.name
    ):
        mime_type = _MIME_TYPES.get(file.name.rpartition(".")[2])
        if mime_type:
            content = file.read_bytes()
            found[file.name] = _File(content, gzip.compress(content, mtime=0), mime_type)
    return found


@cache
def _digest() -> str:
    """A digest of all files: they refer to each other by name."""
    whole = hashlib.blake2b(digest_size=6)
    for name, file in _files().items():
        whole.update(f"{name} {len(file.content)} ".encode() + file.content)
    return whole.hexdigest()
