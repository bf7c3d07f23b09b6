"""Requests to a venue's REST interface: asked again where that may help, patient where the venue asks for patience."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Self

from neural_trader.errors import NeuralTraderError, UsageError
from neural_trader.market.venue_history import INSTALL, Patience

if TYPE_CHECKING:
    import httpx

TIMEOUT_S = 10.0
_ASKED_TO_WAIT = (418, 429)


def needs(library: str) -> UsageError:
    """What to say where a library is missing."""
    return UsageError(f"recording needs {library}, which is not installed; {INSTALL}")


class Refused(NeuralTraderError):
    """The venue will not answer this, however often it is asked."""


class Requests:
    """Public requests to one venue."""

    def __init__(self, venue: str, url: str, patience: Patience, say: Callable[[str], None]) -> None:
        try:
            import httpx
        except ModuleNotFoundError as error:
            if error.name != "httpx":
                raise
            raise needs("httpx") from None
        self._venue, self._url, self._patience, self._say = venue, url.rstrip("/"), patience, say
        self._chance = random.Random(url)
        self._client = httpx.AsyncClient(timeout=TIMEOUT_S, follow_redirects=True)
        self._silent_until_s = 0.0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        await self._client.aclose()

    def address(self, path: str) -> str:
        """The whole address of a request."""
        return self._url + path

    async def get(self, path: str, what: str) -> bytes:
        """The bytes of an answer; a request that fails is made again as often as patience allows."""
        for attempt in range(1, self._patience.tries + 1):
            await asyncio.sleep(max(0.0, self._silent_until_s - time.monotonic()))
            answer, said, asked_s = await self._once(path, what)
            if answer is not None:
                return answer
            if attempt == self._patience.tries:
                break
            wait_s = self._patience.wait_s(attempt, asked_s, self._chance)
            if asked_s is not None:
                # All requests count against the same limit.
                self._silent_until_s = time.monotonic() + asked_s
            self._say(
                f"{self._venue}, {what}: {said}; again in {wait_s:.1f} s, try {attempt + 1} of {self._patience.tries}"
            )
            await asyncio.sleep(wait_s)
        raise NeuralTraderError(f"{self._venue}, {what}: {said}, {self._patience.tries} times; {self._url} is asked")

    async def _once(self, path: str, what: str) -> tuple[bytes | None, str, float | None]:
        """The answer, or what went wrong and how long the venue wants to be left alone."""
        import httpx

        try:
            answer = await self._client.get(self._url + path)
        except httpx.TransportError as error:
            return None, f"no answer ({_words(error)})", None
        if answer.status_code == httpx.codes.OK:
            return answer.content, "", None
        if answer.status_code in _ASKED_TO_WAIT:
            return None, f"too many requests ({answer.status_code})", _retry_after_s(answer)
        if answer.status_code >= 500:
            return None, f"not available ({answer.status_code})", _retry_after_s(answer)
        raise Refused(f"{self._venue} refuses {what}: {answer.status_code} {' '.join(answer.text.split())[:120]}")


def _words(error: Exception) -> str:
    return " ".join(str(error).split())[:120] or type(error).__name__


def _retry_after_s(answer: httpx.Response) -> float | None:
    text = answer.headers.get("Retry-After", "")
    return float(text) if text.isdigit() else None
