"""Answers that are sent while they are produced.

If nobody reads them any more, the work ends.
"""

from collections.abc import Callable, Iterable

from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send


class Streamed(StreamingResponse):
    """An answer in pieces, each sent as soon as it is ready.

    Args:
        pieces: produced in a thread, one after the other.
        close: ends the work from any thread, so that `pieces` ends; called when the answer is sent or the client has
            gone, and possibly more than once. Left out: the work ends with the piece that is being produced.
    """

    def __init__(
        self,
        pieces: Iterable[str] | Iterable[bytes],
        close: Callable[[], None] = lambda: None,
        *,
        media_type: str,
        headers: dict[str, str],
    ) -> None:
        # nginx would keep the pieces until they fill a buffer.
        super().__init__(pieces, headers=headers | {"X-Accel-Buffering": "no"}, media_type=media_type)
        self._close = close

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the answer; always end its work, even on an error."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._close()

    async def listen_for_disconnect(self, receive: Receive) -> None:
        """Wait until the client has gone, then end the work.

        This wakes anyone who waits for the next piece, which is no longer wanted.
        """
        await super().listen_for_disconnect(receive)
        self._close()
