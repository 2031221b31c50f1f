"""The handshake before a query: all parties are about to run the same, and none of them alone chooses the session's id.

Every party sends every other one a fresh nonce and its claim: digests of SQL, catalog and plan, and its version. Claims
must be equal. The session's id is a hash of the query's id and of all parties' names, nonces and claims, so that no two
queries ever share a mask, whoever replays what. A second message compares that hash: nobody was told another story, and
every mailbox is open before the first share moves.
"""

from __future__ import annotations

import hashlib
import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from smpc_sql import messages
from smpc_sql.errors import PeerError
from smpc_sql.messages import Abort, Agreed, Claim, Propose
from smpc_sql.transport.base import Link, Silent
from smpc_sql.wire import SESSION_BYTES

_FIELDS = (
    ("version", "its software's version"),
    ("sql", "the text of the query"),
    ("catalog", "its catalog"),
    ("plan", "its plan"),
)


def query_id(client: str, request: bytes) -> bytes:
    """The id of a client's request among the parties: two clients cannot meet."""
    return hashlib.sha256(b"smpc_sql query\x00" + client.encode() + b"\x00" + request).digest()


class Inbox:
    """What the other parties say about one query; it may come before the client's own message does."""

    def __init__(self, name: str) -> None:
        """name: of this party."""
        self._name = name
        self.touched = time.monotonic()
        self._changed = threading.Condition()
        self._proposals: dict[str, Propose] = {}
        self._agreed: dict[str, Agreed] = {}
        self._aborts: dict[str, Abort] = {}
        self._error: PeerError | None = None
        self._on_error: Callable[[PeerError], None] | None = None

    def bind(self, on_error: Callable[[PeerError], None]) -> None:
        """From now on calls on_error with what goes wrong; at once, if it has already."""
        with self._changed:
            self._on_error = on_error
            error = self._error
        if error is not None:
            on_error(error)

    def put(self, sender: str, message: Propose | Agreed | Abort) -> None:
        """Takes a message of another party."""
        with self._changed:
            kept = {Propose: self._proposals, Agreed: self._agreed, Abort: self._aborts}[type(message)]
            contradicts = kept.setdefault(sender, message) != message  # type: ignore[attr-defined]
            self._changed.notify_all()
        if contradicts:
            self.fail(PeerError(sender, "contradicted itself about a query"))
        elif isinstance(message, Abort):
            self.fail(PeerError(message.peer, message.message))

    def fail(self, error: PeerError) -> None:
        """Whoever waits, and will wait, for anything but an abort raises this."""
        with self._changed:
            self._error = self._error or error
            self._changed.notify_all()
            on_error = self._on_error
        if on_error is not None:
            on_error(error)

    def proposals(self, others: Sequence[str], timeout: float) -> dict[str, Propose]:
        """The others' first messages. Raises PeerError; Silent for who does not send one in time."""
        return self._wait(self._proposals, others, timeout)

    def agreed(self, others: Sequence[str], timeout: float) -> dict[str, Agreed]:
        """The others' second messages."""
        return self._wait(self._agreed, others, timeout)

    def deepest(self, error: PeerError, grace: float) -> PeerError:
        """Who is to blame, when `error.peer` did not answer: it, or whom it waits for itself, as its abort says.

        Gives it `grace` seconds to say so.
        """
        deadline = time.monotonic() + grace
        followed = [error.peer]
        with self._changed:
            while True:
                abort = self._aborts.get(error.peer)
                if abort is None and not self._changed.wait(deadline - time.monotonic()):
                    return error
                if abort is not None:
                    if abort.peer in followed:
                        return error
                    error = PeerError(abort.peer, abort.message)
                    followed.append(error.peer)

    def _wait(self, kept: Mapping[str, messages.Message], others: Sequence[str], timeout: float) -> dict[str, Any]:
        started = time.monotonic()
        deadline = started + timeout
        with self._changed:
            while True:
                missing = next((name for name in others if name not in kept), None)
                if missing is None:
                    return {name: kept[name] for name in others}
                if self._error is not None:
                    if self._error.peer == self._name and time.monotonic() - started > timeout / 2:
                        raise Silent(missing, "did not answer")  # we are accused, but only because we wait, too
                    raise PeerError(self._error.peer, self._error.message)
                remaining = deadline - time.monotonic()
                if remaining <= 0:
                    raise Silent(missing, f"no answer within {timeout:g} s")
                self._changed.wait(remaining)


def agree(
    link: Link,
    inbox: Inbox,
    *,
    parties: tuple[str, ...],
    provider: str,
    query: bytes,
    claim: Claim,
    timeout: float,
) -> bytes:
    """Runs the handshake for one query; returns the session's id [16], whose mailbox is open at every party.

    2 messages to every other party. Raises PeerError: who differs and in what, or who does not answer.
    """
    others = tuple(name for name in parties if name != link.name)
    own = Propose(query=query, nonce=os.urandom(32), claim=claim)
    _send(link, others, messages.encode(own))
    proposals = {**inbox.proposals(others, timeout), link.name: own}
    compare({name: proposals[name].claim for name in parties}, link.name)
    agreed = _digest(query, parties, proposals)
    session = agreed[:SESSION_BYTES]
    link.open_session(session, (*others, provider))
    try:
        _send(link, others, messages.encode(Agreed(query=query, session=agreed)))
        for name, message in inbox.agreed(others, timeout).items():
            if message.session != agreed:
                raise PeerError(name, "agreed on another session: somebody told the parties different things")
    except BaseException:
        link.close_session(session)
        raise
    return session


def compare(claims: Mapping[str, Claim], own: str) -> None:
    """Raises PeerError, naming who differs and in what, unless all claims are equal.

    The majority stands against the odd one; where there is none, the first party that differs from `own` is named.
    """
    for field, shown in _FIELDS:
        values = {name: getattr(claim, field) for name, claim in claims.items()}
        if len(set(values.values())) == 1:
            continue
        counts = {name: list(values.values()).count(value) for name, value in values.items()}
        reference = max(counts.values())
        if 2 * reference > len(values):
            standard = next(values[name] for name in values if counts[name] == reference)
        else:
            standard = values[own]
        odd = next(name for name in values if values[name] != standard)
        same = [name for name in values if values[name] == standard]
        detail = f" ({values[odd]}, not {standard})" if field == "version" else ""
        raise PeerError(odd, f"{shown} differs from that of {', '.join(same)}{detail}")


def _send(link: Link, others: Sequence[str], message: bytes) -> None:
    for name in others:
        link.send_control(name, message)


def _digest(query: bytes, parties: Sequence[str], proposals: Mapping[str, Propose]) -> bytes:
    digest = hashlib.sha256(b"smpc_sql session\x00" + query)
    for name in parties:
        claim = proposals[name].claim
        texts = (name.encode(), claim.version.encode())
        fixed = (proposals[name].nonce, claim.sql, claim.catalog, claim.plan)
        digest.update(b"".join([*(len(text).to_bytes(4, "little") + text for text in texts), *fixed]))
    return digest.digest()
