"""What was made lately, kept for whoever asks for the same again."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Recent(Generic[K, V]):
    """The values of the keys that were asked for last, at most so many. Values are frozen; any thread may ask."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._kept: OrderedDict[K, V] = OrderedDict()

    def get(self, key: K, make: Callable[[], V], fits: Callable[[V], bool] = lambda _: True) -> V:
        """The key's value, made now if it is not known; it is kept if it fits. What `make` raises is not kept."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        value = make()
        if fits(value):
            with self._lock:
                self._kept[key] = value
                if len(self._kept) > self._most:
                    self._kept.popitem(last=False)
        return value
