"""The catalog that all parties have, as their client knows it."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping

from smpc_sql import messages
from smpc_sql.calls import PAUSE, SETTLE, Calls, all_of, require_same
from smpc_sql.catalog import Catalog, CatalogInvalid
from smpc_sql.errors import PeerError, SmpcError
from smpc_sql.messages import Failed


class KnownCatalog:
    """The catalog last heard of. last: None before, and after a change. Any number of threads may use it at once."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        self._lock = threading.Lock()
        self._last: Catalog | None = None

    @property
    def last(self) -> Catalog | None:
        """What was fetched last, if nothing is known to have changed since."""
        with self._lock:
            return self._last

    def fetch(self) -> Catalog:
        """From all parties; a difference may be a change under way, and is looked at again.

        Raises PeerError for a party whose version or catalog stays another than the others'.
        """
        calls = self._calls
        deadline = time.monotonic() + min(calls.timeout, SETTLE)
        while True:
            with calls.begin() as call:
                replies = all_of(messages.CatalogIs, calls.ask(call, messages.GetCatalog(call.request)))
            require_same({party: reply.version for party, reply in replies.items()}, "runs another version than")
            texts = {party: reply.catalog for party, reply in replies.items()}
            if len(set(texts.values())) == 1:
                break
            if time.monotonic() > deadline:
                require_same(texts, "has another catalog than")
            time.sleep(PAUSE)
        first = calls.parties[0]
        try:
            catalog = Catalog.from_text(texts[first])
        except CatalogInvalid as error:
            raise PeerError(first, f"sent a catalog that is none: {error}") from error
        self.keep(catalog)
        return catalog

    def keep(self, catalog: Catalog | None) -> None:
        """Takes it for what all parties have; None: what they have is not known."""
        with self._lock:
            self._last = catalog

    def is_stale(self, replies: Mapping[str, messages.ToClient | SmpcError]) -> bool:
        """Whether somebody else's change came in between: then the next attempt sees the new catalog."""
        stale = any(isinstance(reply, Failed) and reply.again for reply in replies.values())
        if stale:
            self.keep(None)
        return stale
