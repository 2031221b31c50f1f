"""Control messages: what clients, parties and the provider say to one another besides data frames.

msgpack, decoded strictly into frozen structs, every length bounded; never pickle. Each receiver decodes only what its
sender's role may say. A client's message carries a fresh 16-byte `request`, which every reply to it repeats.
"""

from __future__ import annotations

import hashlib
from typing import Annotated, Literal, TypeVar

import msgspec

from smpc_sql.wire import Malformed

MAX_SQL = 1 << 20
MAX_COLUMNS = 4096
MAX_ROWS = 1 << 27
MAX_PIECES = 1 << 16
MAX_TEXT = 1 << 16
MAX_PROBLEMS = 1000

Id = Annotated[bytes, msgspec.Meta(min_length=16, max_length=16)]
Digest = Annotated[bytes, msgspec.Meta(min_length=32, max_length=32)]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=256)]
Sql = Annotated[str, msgspec.Meta(max_length=MAX_SQL)]
Text = Annotated[str, msgspec.Meta(max_length=MAX_TEXT)]
Count = Annotated[int, msgspec.Meta(ge=0, le=(1 << 63) - 1)]
Rows = Annotated[int, msgspec.Meta(ge=0, le=MAX_ROWS)]
Seconds = Annotated[float, msgspec.Meta(ge=0.0)]


class Message(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="is", tag=True):
    """Base of all control messages."""


# --- from a client to a party


class Ping(Message, frozen=True):
    """Do you still work on the request `about`? -> Done if so, else Failed."""

    request: Id
    about: Id


class GetCatalog(Message, frozen=True):
    """-> CatalogIs."""

    request: Id


class Define(Message, frozen=True):
    """Prepare the change that one DDL statement makes. -> Done, or Failed; then Commit or Rollback `change`."""

    request: Id
    change: Id
    sql: Sql


class Compute(Message, frozen=True):
    """Prepare a change whose content all parties compute from their shares: CREATE TABLE AS, CHECK TABLE.

    To all parties at once; -> Done, or Failed; then Commit or Rollback `change`. catalog: as in Submit.
    """

    request: Id
    change: Id
    sql: Sql
    catalog: Digest


class Piece(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A column of words of a load: its words travel as one data frame, its null bits as another if there are any."""

    column: Name
    nullable: bool


class Load(Message, frozen=True):
    """Prepare to add a fragment to a table. -> Send, then the data frames, -> Done, or Failed; then Commit or Rollback.

    Frames travel in session `load_session(client, change)` at `load_path(kind, number)`, for column number 0, 1, …:
    kind b"w" for words u64, kind b"n" for packed null bits. pieces: the table's columns of words in order. ddl:
    `ddl_digest` of the declaration by which the rows were encoded.
    """

    request: Id
    change: Id
    table: Name
    ddl: Digest
    owner: Name
    rows: Rows
    pieces: Annotated[tuple[Piece, ...], msgspec.Meta(max_length=MAX_COLUMNS)]


class Commit(Message, frozen=True):
    """To the first party: make a change, prepared by all, everywhere. -> Done, or Failed."""

    request: Id
    change: Id


class Rollback(Message, frozen=True):
    """To the first party: forget a prepared change everywhere. No reply."""

    change: Id


class Submit(Message, frozen=True):
    """Run a SELECT. -> Answer and its data frames, or Failed. `request` is the frames' session.

    catalog: digest of the catalog for which the client planned; with another one the query is stale.
    """

    request: Id
    sql: Sql
    catalog: Digest


class Explain(Message, frozen=True):
    """-> Explained."""

    request: Id
    sql: Sql


class Analyze(Message, frozen=True):
    """Run a SELECT, measure it, and throw its result away. -> Explained with a report in JSON, or Failed."""

    request: Id
    sql: Sql
    catalog: Digest


class Cancel(Message, frozen=True):
    """Nobody waits for this query any more. No reply."""

    request: Id


class OpenSize(Message, frozen=True):
    """Open how many pairs a join of this statement has, before it can be planned. -> SizeIs, or Failed."""

    request: Id
    sql: Sql
    catalog: Digest


FromClient = (
    Ping | GetCatalog | Define | Compute | Load | Commit | Rollback | Submit | Explain | Analyze | OpenSize | Cancel
)


# --- from a party to a client


class Done(Message, frozen=True):
    """The request succeeded."""

    request: Id


class Send(Message, frozen=True):
    """Now send a load's data frames."""

    request: Id


class CatalogIs(Message, frozen=True):
    """This party's catalog in canonical text, and its software's version."""

    request: Id
    version: Name
    catalog: Annotated[str, msgspec.Meta(max_length=1 << 23)]


class Stats(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a query cost one party: wall time, rounds, payload bytes to parties and provider, bytes dealt to it."""

    seconds: Seconds
    rounds: Count
    bytes_sent: Count
    bytes_dealt: Count


class Answer(Message, frozen=True):
    """One party's shares of a result follow as data frames at `result_path(number)` for piece number 0, 1, ….

    digest: of the plan that was agreed on. kinds, shapes: a numpy dtype and a shape for each piece.
    """

    request: Id
    digest: Digest
    kinds: Annotated[tuple[Literal["<u8", "<u4", "<u2", "|u1"], ...], msgspec.Meta(max_length=MAX_PIECES)]
    shapes: Annotated[
        tuple[Annotated[tuple[Count, ...], msgspec.Meta(max_length=4)], ...], msgspec.Meta(max_length=MAX_PIECES)
    ]
    stats: Stats


class Fault(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An SmpcError on its way: the class's name and its fields."""

    kind: Name
    message: Text
    line: Count = 0
    column: Count = 0
    peer: Annotated[str, msgspec.Meta(max_length=256)] = ""
    problems: Annotated[tuple[Text, ...], msgspec.Meta(max_length=MAX_PROBLEMS)] = ()


class Explained(Message, frozen=True):
    """A plan as text."""

    request: Id
    text: Annotated[str, msgspec.Meta(max_length=1 << 23)]


class SizeIs(Message, frozen=True):
    """How many pairs of rows a join has, maybe rounded up, as all parties have opened it. number: which join."""

    request: Id
    number: Count
    rows: Count


class Failed(Message, frozen=True):
    """The request failed, and changed nothing.

    again: it may succeed if it is asked again, because somebody else was changing the table or the catalog.
    """

    request: Id
    fault: Fault
    again: bool = False


ToClient = Done | Send | CatalogIs | Answer | Explained | SizeIs | Failed


# --- between parties


class Claim(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a party is about to run: alike at all parties, or nobody touches a share."""

    sql: Digest
    catalog: Digest
    plan: Digest
    version: Name


class Propose(Message, frozen=True):
    """First message of the agreement on a query: this party's claim and nonce."""

    query: Digest
    nonce: Digest
    claim: Claim


class Agreed(Message, frozen=True):
    """Second message: the session that this party derived from all proposals; its mailbox is open."""

    query: Digest
    session: Digest


class Abort(Message, frozen=True):
    """This party gave a query up. peer: whom it holds responsible; waited: because it waited in vain."""

    query: Digest
    peer: Name
    message: Text
    waited: bool


class Prepared(Message, frozen=True):
    """To the first party: a change is staged here; `digest` says what exactly."""

    change: Id
    digest: Digest


class Decide(Message, frozen=True):
    """From the first party: a change is made (commit), or forgotten."""

    change: Id
    commit: bool


class Decided(Message, frozen=True):
    """To the first party: its decision was carried out."""

    change: Id


class AskOutcome(Message, frozen=True):
    """To the first party: what was decided on this change? -> Decide."""

    change: Id


FromParty = Propose | Agreed | Abort | Prepared | Decide | Decided | AskOutcome


# --- from a party to the provider


class Seed(Message, frozen=True):
    """A party's seed for one session."""

    session: Id
    seed: Annotated[bytes, msgspec.Meta(min_length=16, max_length=64)]


class End(Message, frozen=True):
    """A party has finished a session."""

    session: Id


ToProvider = Seed | End


class Refused(Message, frozen=True):
    """From the provider: it gave a session up, and whose fault that is."""

    session: Id
    peer: Name
    message: Text


def ddl_digest(ddl: str) -> bytes:
    """Of the text that declared a table."""
    return hashlib.sha256(ddl.encode()).digest()


def load_session(client: str, change: bytes) -> bytes:
    """The session in which a load's frames travel."""
    return hashlib.sha256(b"smpc_sql load\x00" + client.encode() + b"\x00" + change).digest()[:16]


def load_path(kind: bytes, number: int) -> bytes:
    """The path of a load's frame."""
    return kind + number.to_bytes(2, "little")


def result_path(number: int) -> bytes:
    """The path of a result's frame."""
    return b"r" + number.to_bytes(4, "little")


_T = TypeVar("_T")
_encoder = msgspec.msgpack.Encoder()
_from_client: msgspec.msgpack.Decoder[FromClient] = msgspec.msgpack.Decoder(FromClient)
_to_client: msgspec.msgpack.Decoder[ToClient] = msgspec.msgpack.Decoder(ToClient)
_from_party: msgspec.msgpack.Decoder[FromParty] = msgspec.msgpack.Decoder(FromParty)
_to_provider: msgspec.msgpack.Decoder[ToProvider] = msgspec.msgpack.Decoder(ToProvider)
_from_provider: msgspec.msgpack.Decoder[Refused] = msgspec.msgpack.Decoder(Refused)


def encode(message: Message) -> bytes:
    """A message as bytes."""
    return _encoder.encode(message)


def from_client(raw: bytes) -> FromClient:
    """What a client says to a party. Raises wire.Malformed, as all of these."""
    return _decode(_from_client, raw)


def to_client(raw: bytes) -> ToClient:
    """What a party says to a client."""
    return _decode(_to_client, raw)


def from_party(raw: bytes) -> FromParty:
    """What a party says to a party."""
    return _decode(_from_party, raw)


def to_provider(raw: bytes) -> ToProvider:
    """What a party says to the provider."""
    return _decode(_to_provider, raw)


def from_provider(raw: bytes) -> Refused:
    """What the provider says to a party."""
    return _decode(_from_provider, raw)


def _decode(decoder: msgspec.msgpack.Decoder[_T], raw: bytes) -> _T:
    try:
        return decoder.decode(raw)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise Malformed("not a message that this sender may send") from error
