"""Answers that are sent while they are worked out, and whose work ends when nobody reads them any more."""

from collections.abc import Callable, Iterable

from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send


class Streamed(StreamingResponse):
    """An answer in pieces, each sent as soon as it is there.

    Args:
        pieces: worked out in a thread, one after the other.
        close: ends the work from any thread, so that `pieces` gives no more; called when the answer is sent or the client
            has gone, more than once if need be.
    """

    def __init__(
        self, pieces: Iterable[str], close: Callable[[], None], *, media_type: str, headers: dict[str, str]
    ) -> None:
        super().__init__(pieces, headers=headers, media_type=media_type)
        self._close = close

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the answer, and end its work whatever becomes of it."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._close()

    async def listen_for_disconnect(self, receive: Receive) -> None:
        """Wait until the client has gone, and wake who waits for the next piece: it is not wanted any more."""
        await super().listen_for_disconnect(receive)
        self._close()
