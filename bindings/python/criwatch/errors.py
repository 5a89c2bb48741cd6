"""Errors: one class for each status, so that `except` can distinguish them."""

from __future__ import annotations

import ctypes
from typing import Any, Dict, Optional, Tuple, Type

from criwatch import _capi
from criwatch._library import library
from criwatch.enums import Status


class CriError(Exception):
    """A call failed. The message says what failed, on what, with all causes, and what to do."""

    #: The status that the call returned.
    status: Status
    #: The gRPC status code, if an engine's answer was the cause; None otherwise.
    grpc_code: Optional[int]
    #: The errno, if a system call was the cause; None otherwise.
    errno: Optional[int]
    #: Whether the same call may succeed later without anybody changing anything.
    retriable: bool

    def __init__(
        self,
        message: str,
        status: Status = Status.E_INTERNAL,
        grpc_code: Optional[int] = None,
        errno: Optional[int] = None,
        retriable: bool = False,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.grpc_code = grpc_code
        self.errno = errno
        self.retriable = retriable

    @property
    def os_code(self) -> Optional[int]:
        """The same as `errno`, under its name in C."""
        return self.errno

    def __str__(self) -> str:
        return self.message

    def __reduce__(self) -> Tuple[Any, ...]:
        return type(self), (self.message, self.status, self.grpc_code, self.errno, self.retriable)


class InvalidArgument(CriError, ValueError):
    """A value is out of range, or is no text."""


class NotFound(CriError, LookupError):
    """No container or pod has this id or name; or there is no such process, cgroup or namespace any more."""


class NotYet(CriError, LookupError):
    """From a lookup: it is in a container or pod that is not known yet. One of another engine looks the same."""


class Timeout(CriError, TimeoutError):
    """The timeout has passed; the message gives the last cause."""


class NotReady(CriError):
    """The cache is not filled yet: start the watcher and wait until it is ready, or resync."""


class Stopped(CriError):
    """The watcher has been stopped or closed."""


class ConnectFailed(CriError, ConnectionError):
    """The engine's socket cannot be reached."""


class PermissionDenied(CriError, PermissionError):
    """This user may not use the engine's socket, or something else."""


class RpcFailed(CriError):
    """The engine answered a request with an error; `grpc_code` is its code."""


class Unsupported(CriError):
    """This engine, or this build of the library, does not offer the call."""


class ProtocolViolation(CriError):
    """The engine sent something that the library does not understand."""


class InvalidOption(CriError, ValueError):
    """An option's key is unknown, or its value is not allowed."""


class InvalidQuery(CriError, ValueError):
    """A query is malformed."""


class Ambiguous(CriError, LookupError):
    """Several containers have this name or id prefix; the message lists them."""


class Processless(CriError):
    """The container has no process (any more)."""


class WouldDeadlock(CriError):
    """The call was made in a callback, and would wait for that same callback."""


class Forked(CriError):
    """This process is a fork of the one that started the watcher. Make a new watcher here."""


class OsFailed(CriError, OSError):
    """A system call failed; `errno` is the reason."""


class WrongState(CriError):
    """The call is not allowed in the present state of the watcher, for example before its start."""


class InternalDefect(CriError):
    """A defect in the library."""


class Panic(InternalDefect):
    """The library caught a panic, which is a defect, too."""


class QueueClosed(CriError):
    """No more events will come: the watcher has stopped and all were taken, or the queue was closed."""


#: The class of each status.
CLASSES: Dict[Status, Type[CriError]] = {
    Status.AGAIN: NotYet,
    Status.CLOSED: QueueClosed,
    Status.E_INVALID_ARGUMENT: InvalidArgument,
    Status.E_NOT_FOUND: NotFound,
    Status.E_TIMEOUT: Timeout,
    Status.E_NOT_READY: NotReady,
    Status.E_STOPPED: Stopped,
    Status.E_CONNECT: ConnectFailed,
    Status.E_PERMISSION: PermissionDenied,
    Status.E_RPC: RpcFailed,
    Status.E_UNSUPPORTED: Unsupported,
    Status.E_PROTOCOL: ProtocolViolation,
    Status.E_OPTION: InvalidOption,
    Status.E_QUERY: InvalidQuery,
    Status.E_AMBIGUOUS: Ambiguous,
    Status.E_PROCESSLESS: Processless,
    Status.E_WOULD_DEADLOCK: WouldDeadlock,
    Status.E_FORKED: Forked,
    Status.E_OS: OsFailed,
    Status.E_STATE: WrongState,
    Status.E_INTERNAL: InternalDefect,
    Status.E_PANIC: Panic,
}


def failure(status: Status, message: str) -> CriError:
    """An error that this package found by itself."""
    return CLASSES.get(status, CriError)(message, status)


def taken(error: Any) -> CriError:
    """Makes an exception from an error object of the library, and frees that."""
    lib = library()
    try:
        status = Status(lib.cri_error_status(error))
        message = lib.cri_error_message(error).decode("utf-8", "replace")
        grpc_code, errno = lib.cri_error_grpc_code(error), lib.cri_error_os_code(error)
        return CLASSES.get(status, CriError)(
            message,
            status,
            grpc_code if grpc_code >= 0 else None,
            errno if errno != 0 else None,
            bool(lib.cri_error_is_retriable(error)),
        )
    finally:
        lib.cri_error_free(error)


def call(name: str, *arguments: Any) -> Status:
    """Calls a function that takes `cri_error **err`. Returns its status if that is OK or a note; else raises."""
    error = ctypes.POINTER(_capi.cri_error)()
    status = getattr(library(), name)(*arguments, ctypes.byref(error))
    if error:
        raise taken(error)
    if status < 0:
        raise failure(Status(status), f"{name}: {status_name(status)}")
    return Status(status)


def status_name(status: int) -> str:
    """A status's name in the library, e.g. "CRI_E_TIMEOUT"."""
    return str(library().cri_status_name(status).decode())
