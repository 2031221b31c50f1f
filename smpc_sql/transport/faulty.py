"""A Carrier that misbehaves on purpose, around any other: for tests of what happens then."""

from __future__ import annotations

import contextlib
import enum
import threading
from collections.abc import Callable
from dataclasses import dataclass

from smpc_sql import wire
from smpc_sql.errors import PeerError
from smpc_sql.transport.base import Carrier


class Fault(enum.Enum):
    """What may happen to a frame on its way."""

    DROP = "drop"
    DELAY = "delay"
    DUPLICATE = "duplicate"
    REORDER = "reorder"
    TRUNCATE = "truncate"
    CORRUPT = "corrupt"
    CORRUPT_HEADER = "corrupt header"


@dataclass(frozen=True, slots=True)
class Rule:
    """A fault for the data frames number first, first + 1, … first + count - 1 that go to `to` (or to anybody).

    seconds: how long DELAY delays. REORDER lets the next frame pass first, if there is one in that time.
    """

    fault: Fault
    to: str | None = None
    first: int = 0
    count: int = 1
    seconds: float = 0.2
    control: bool = False


class Faulty:
    """Applies a rule to what a carrier sends."""

    def __init__(self, carrier: Carrier, rule: Rule) -> None:
        self.name = carrier.name
        self.applied = 0
        self.receivers: list[str] = []  # of harmed frames
        self._carrier = carrier
        self._rule = rule
        self._seen = 0
        self._held: tuple[str, bytes, memoryview] | None = None
        self._lock = threading.Lock()

    def start(self, arrived: Callable[[str, bytes, memoryview], None], lost: Callable[[str, str], None]) -> None:
        """See Carrier."""
        self._carrier.start(arrived, lost)

    def carry(self, to: str, header: bytes, payload: memoryview, *, wait: bool = True) -> None:
        """See Carrier."""
        if not self._hit(to, header):
            self._carrier.carry(to, header, payload)
            self._release()
            return
        match self._rule.fault:
            case Fault.DROP:
                pass
            case Fault.DELAY:
                timer = threading.Timer(self._rule.seconds, self._carry_late, (to, header, payload))
                timer.daemon = True
                timer.start()
            case Fault.DUPLICATE:
                self._carrier.carry(to, header, payload)
                self._carrier.carry(to, header, payload)
            case Fault.REORDER:
                self._hold(to, header, payload)
            case Fault.TRUNCATE:
                self._carrier.carry(to, header, payload[:-1])
            case Fault.CORRUPT:
                damaged = bytearray(payload)
                damaged[len(damaged) // 2] ^= 0x10
                self._carrier.carry(to, header, memoryview(damaged))
            case Fault.CORRUPT_HEADER:
                self._carrier.carry(to, b"X" + header[1:], payload)

    def close(self) -> None:
        """See Carrier."""
        self._carrier.close()

    def _hit(self, to: str, header: bytes) -> bool:
        rule = self._rule
        is_control = wire.parse_header(header).kind is wire.Kind.CONTROL
        if is_control != rule.control or (rule.to is not None and rule.to != to):
            return False
        with self._lock:
            number = self._seen
            self._seen += 1
            hit = rule.first <= number < rule.first + rule.count
            self.applied += hit
            self.receivers += [to] * hit
        return hit

    def _carry_late(self, to: str, header: bytes, payload: memoryview) -> None:
        with contextlib.suppress(PeerError):  # nobody is there any more
            self._carrier.carry(to, header, payload)

    def _hold(self, to: str, header: bytes, payload: memoryview) -> None:
        self._release()
        with self._lock:
            self._held = (to, header, payload)
        timer = threading.Timer(self._rule.seconds, self._release)
        timer.daemon = True
        timer.start()

    def _release(self) -> None:
        with self._lock:
            held, self._held = self._held, None
        if held is not None:
            self._carry_late(*held)
