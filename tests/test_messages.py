"""Control messages: round trips, and that each receiver takes only what its sender may say."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smpc_sql import errors, faults, messages
from smpc_sql.wire import Malformed

ID, DIGEST = bytes(16), bytes(32)
CLAIM = messages.Claim(DIGEST, DIGEST, DIGEST, "1")
FROM_CLIENT = (
    messages.Ping(ID, ID),
    messages.GetCatalog(ID),
    messages.Define(ID, ID, "CREATE TABLE t (x INTEGER)"),
    messages.Compute(ID, ID, "CREATE TABLE u AS SELECT 1", DIGEST),
    messages.Load(ID, ID, "t", DIGEST, "h", 3, (messages.Piece("x", True),)),
    messages.Commit(ID, ID),
    messages.Rollback(ID),
    messages.Submit(ID, "SELECT 1", DIGEST),
    messages.Explain(ID, "SELECT 1"),
    messages.Analyze(ID, "SELECT 1", DIGEST),
    messages.OpenSize(ID, "SELECT 1", DIGEST),
    messages.Cancel(ID),
)
TO_CLIENT = (
    messages.Done(ID),
    messages.Send(ID),
    messages.CatalogIs(ID, "1", "{}"),
    messages.Answer(ID, DIGEST, ("<u8",), ((2, 3),), messages.Stats(0.5, 1, 2, 3)),
    messages.Explained(ID, "plan"),
    messages.SizeIs(ID, 1, 20000),
    messages.Failed(ID, messages.Fault("QueryError", "no", 1, 2), again=True),
)
FROM_PARTY = (
    messages.Propose(DIGEST, DIGEST, CLAIM),
    messages.Agreed(DIGEST, DIGEST),
    messages.Abort(DIGEST, "p", "why", True),
    messages.Prepared(ID, DIGEST),
    messages.Decide(ID, True),
    messages.Decided(ID),
    messages.AskOutcome(ID),
)
TO_PROVIDER = (messages.Seed(ID, DIGEST), messages.End(ID))
FROM_PROVIDER = (messages.Refused(ID, "p", "why"),)
ROLES = (
    (messages.from_client, FROM_CLIENT),
    (messages.to_client, TO_CLIENT),
    (messages.from_party, FROM_PARTY),
    (messages.to_provider, TO_PROVIDER),
    (messages.from_provider, FROM_PROVIDER),
)
DECODERS = tuple(decode for decode, _ in ROLES)


@pytest.mark.parametrize("role", range(len(ROLES)))
def test_each_receiver_takes_its_messages_and_no_others(role: int) -> None:
    for own, (_, said) in enumerate(ROLES):
        for message in said:
            raw = messages.encode(message)
            if own == role:
                assert DECODERS[role](raw) == message
            else:
                with pytest.raises(Malformed):
                    DECODERS[role](raw)


@pytest.mark.parametrize("decode", DECODERS)
@given(raw=st.binary(max_size=200))
def test_random_bytes_are_malformed(decode: object, raw: bytes) -> None:
    assert callable(decode)
    with pytest.raises(Malformed):
        decode(raw)


LOAD = {"is": "Load", "request": ID, "change": ID, "table": "t", "ddl": DIGEST, "owner": "o", "rows": 1, "pieces": []}
BAD = {
    "a short id": {"is": "GetCatalog", "request": bytes(15)},
    "a long id": {"is": "GetCatalog", "request": bytes(17)},
    "a text for bytes": {"is": "GetCatalog", "request": "0" * 16},
    "an unknown field": {"is": "GetCatalog", "request": ID, "extra": 1},
    "a missing field": {"is": "Submit", "request": ID, "sql": "SELECT 1"},
    "an unknown message": {"is": "Exec", "request": ID},
    "no tag": {"request": ID},
    "too long a text": {"is": "Submit", "request": ID, "sql": "x" * (messages.MAX_SQL + 1), "catalog": DIGEST},
    "negative rows": LOAD | {"rows": -1},
    "too many rows": LOAD | {"rows": 1 << 40},
    "a float for an int": LOAD | {"rows": 1.5},
    "an empty name": LOAD | {"table": ""},
}


def test_the_good_one_of_the_bad_ones_is_good() -> None:
    assert messages.from_client(msgspec.msgpack.encode(LOAD))


@pytest.mark.parametrize("name", BAD)
def test_what_is_out_of_bounds_is_malformed(name: str) -> None:
    with pytest.raises(Malformed):
        messages.from_client(msgspec.msgpack.encode(BAD[name]))


def test_deep_nesting_is_malformed() -> None:
    with pytest.raises(Malformed):
        messages.from_client(b"\x91" * 100_000)


def test_a_result_of_objects_is_malformed() -> None:
    answer = {"is": "Answer", "request": ID, "digest": DIGEST, "kinds": ["|O"], "shapes": [[1]], "stats": None}
    with pytest.raises(Malformed):
        messages.to_client(msgspec.msgpack.encode(answer))


@pytest.mark.parametrize(
    "error",
    [
        errors.SyntaxInvalid("bad", line=3, column=4),
        errors.CatalogConflict("taken"),
        errors.DataError("rows", ("row 1", "row 2")),
        errors.PeerError("party2", "silent"),
        errors.PolicyError("no"),
        errors.ConfigError("no"),
    ],
)
def test_errors_travel(error: errors.SmpcError) -> None:
    back = faults.error_of(faults.fault_of(error), "party1")
    assert (type(back), str(back)) == (type(error), str(error))


def test_an_unknown_error_is_the_senders_fault() -> None:
    back = faults.error_of(messages.Fault("KeyboardInterrupt", "x"), "party1")
    assert isinstance(back, errors.PeerError)
    assert back.peer == "party1"


def test_subclasses_travel_as_what_they_are_known_as() -> None:
    class Special(errors.CatalogConflict):
        pass

    back = faults.error_of(faults.fault_of(Special("taken")), "party1")
    assert type(back) is errors.CatalogConflict


def test_vectors_do_not_change() -> None:
    """Two versions that speak alike must encode alike."""
    path = Path(__file__).parent / "vectors" / "messages.json"
    expected = json.loads(path.read_text(encoding="utf-8"))
    found = {type(m).__name__: messages.encode(m).hex() for _, said in ROLES for m in said}
    assert found == expected
