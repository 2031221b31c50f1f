"""Errors as they travel: every error of ours as a message's Fault, and back."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from smpc_sql import errors
from smpc_sql.errors import DataError, InternalError, KeysUnchecked, PeerError, QueryError, SmpcError
from smpc_sql.messages import MAX_PROBLEMS, MAX_TEXT, Fault

_KINDS: Mapping[str, type[SmpcError]] = MappingProxyType(
    {
        kind.__name__: kind
        for kind in (
            errors.QueryError,
            errors.SyntaxInvalid,
            errors.Unsupported,
            errors.UnknownName,
            errors.TypeMismatch,
            errors.OverflowPossible,
            errors.CatalogConflict,
            errors.KeysUnchecked,
            errors.PolicyError,
            errors.ConfigError,
            errors.DataError,
            errors.PeerError,
            errors.InternalError,
        )
    }
)


def fault_of(error: SmpcError) -> Fault:
    """An error as it travels."""
    names = (kind.__name__ for kind in type(error).__mro__)
    kind = next((name for name in names if name in _KINDS), "InternalError")
    match error:
        case KeysUnchecked():
            return Fault(kind, error.message[:MAX_TEXT], problems=error.tables[:MAX_PROBLEMS])
        case QueryError():
            return Fault(kind, error.message[:MAX_TEXT], line=error.line, column=error.column)
        case DataError():
            problems = tuple(problem[:MAX_TEXT] for problem in error.problems[:MAX_PROBLEMS])
            return Fault(kind, error.message[:MAX_TEXT], problems=problems)
        case PeerError():
            return Fault(kind, error.message[:MAX_TEXT], peer=error.peer)
        case _:
            return Fault(kind, str(error)[:MAX_TEXT])


def error_of(fault: Fault, sender: str) -> SmpcError:
    """The error that `sender` reported; PeerError(sender) for one that does not exist."""
    kind = _KINDS.get(fault.kind)
    if kind is None:
        return PeerError(sender, "reported an unknown error")
    if issubclass(kind, KeysUnchecked):
        return kind(fault.message, fault.problems)
    if issubclass(kind, QueryError):
        return kind(fault.message, line=fault.line, column=fault.column)
    if issubclass(kind, DataError):
        return kind(fault.message, fault.problems)
    if issubclass(kind, PeerError):
        return kind(fault.peer, fault.message)
    if issubclass(kind, InternalError):
        return kind(f"{sender}: {fault.message}")
    return kind(fault.message)
