"""The control loop: nothing that a message does ends it."""

from __future__ import annotations

import threading

import pytest

from parties import process
from smpc_sql.transport.memory import Hub
from smpc_sql.wire import Malformed


def test_a_message_that_breaks_its_handler_is_the_only_one_lost(caplog: pytest.LogCaptureFixture) -> None:
    hub = Hub()
    a, b = hub.link("a"), hub.link("b")
    seen: list[bytes] = []
    ticks: list[int] = []

    def handle(_: str, raw: bytes) -> None:
        if raw == b"bug":
            raise ZeroDivisionError
        if raw == b"garbage":
            raise Malformed("garbage")
        seen.append(raw)

    loop = threading.Thread(target=process.control_loop, args=(a, handle, lambda: ticks.append(1)))
    loop.start()
    for raw in (b"1", b"bug", b"garbage", b"2"):
        b.send_control("a", raw)
    b.close()
    threading.Event().wait(0.7)
    a.close()
    loop.join(5)
    assert not loop.is_alive()
    assert seen == [b"1", b"2", b""]  # the last one: b is gone
    assert ticks
    assert "ZeroDivisionError" in caplog.text


def test_who_cannot_be_reached_does_not_keep_the_others_from_hearing() -> None:
    hub = Hub()
    a, c = hub.link("a"), hub.link("c")
    process.tell(a, ("a", "b", "c"), b"news")
    assert c.control.get(timeout=30) == ("a", b"news")
    assert a.control.empty()
    a.close()
    c.close()
