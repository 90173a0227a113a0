"""Static files, and how long a browser may keep them."""

import mimetypes
from typing import Final

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from service.web.templating import STATIC_VERSION

FOR_EVER: Final = "public, max-age=31536000, immutable"
ONE_DAY: Final = "public, max-age=86400"
VERSIONED: Final = "fonts/"
"""A folder whose files have their version in their names."""

mimetypes.add_type("font/woff2", ".woff2")  # which not every system knows


class Static(StaticFiles):
    """Gives files with `Cache-Control`: for ever, if the address bears a version, else for a day."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Return a file."""
        answer = await super().get_response(path, scope)
        lasting = path.startswith(VERSIONED) or scope["query_string"].decode("latin-1") == STATIC_VERSION
        answer.headers["Cache-Control"] = FOR_EVER if lasting else ONE_DAY
        answer.headers["X-Content-Type-Options"] = "nosniff"
        return answer
