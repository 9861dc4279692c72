"""The few kernel calls that Python does not offer, through ctypes.

Everything here raises ``OSError`` with the kernel's own error number. ``clone`` is the delicate one: it forks
the interpreter straight into new namespaces, which ``os.fork`` cannot, so it keeps the interpreter's lock
held across the call and runs Python's own after-fork work in the child.
"""

from __future__ import annotations

import ctypes
import os
import platform
import signal
from typing import Final

_libc: Final = ctypes.CDLL(None, use_errno=True)
_holding_the_lock: Final = ctypes.PyDLL(None, use_errno=True)

_NEW_NAMESPACES: Final = 0x10000000 | 0x20000000 | 0x00020000 | 0x08000000
"""CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNS, CLONE_NEWIPC."""
_CLONE_NUMBER: Final = {"x86_64": 56, "aarch64": 220}
_CAPSET_NUMBER: Final = {"x86_64": 126, "aarch64": 91}

MS_RDONLY: Final = 1
MS_NOSUID: Final = 2
MS_NODEV: Final = 4
MS_NOEXEC: Final = 8

PR_SET_DUMPABLE: Final = 4
PR_SET_SECCOMP: Final = 22
PR_SET_NO_NEW_PRIVS: Final = 38


def _check(result: int, what: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


def clone_into_namespaces() -> int:
    """Fork into new user, pid, mount and ipc namespaces: the child's pid in the parent, 0 in the child."""
    machine = platform.machine()
    if machine not in _CLONE_NUMBER:
        raise OSError(0, f"no namespaces on {machine}")
    python = ctypes.pythonapi
    python.PyOS_BeforeFork()
    pid = int(
        _holding_the_lock.syscall(
            ctypes.c_long(_CLONE_NUMBER[machine]),
            ctypes.c_ulong(_NEW_NAMESPACES | signal.SIGCHLD),
            ctypes.c_void_p(None),
            ctypes.c_void_p(None),
            ctypes.c_void_p(None),
            ctypes.c_void_p(None),
        )
    )
    if pid == 0:
        python.PyOS_AfterFork_Child()
        return 0
    number = ctypes.get_errno()
    python.PyOS_AfterFork_Parent()
    if pid < 0:
        raise OSError(number, f"clone: {os.strerror(number)}")
    return pid


def mount_tmpfs(path: str, flags: int, options: str) -> None:
    _check(_libc.mount(b"tmpfs", path.encode(), b"tmpfs", ctypes.c_ulong(flags), options.encode()), "mount")


def prctl(option: int, *arguments: int) -> None:
    padded = [ctypes.c_ulong(argument) for argument in (*arguments, 0, 0, 0, 0)[:4]]
    _check(_libc.prctl(option, *padded), f"prctl {option}")


def drop_all_capabilities() -> None:
    """Empty the effective, permitted and inheritable sets of this thread."""
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    nothing = (ctypes.c_uint32 * 6)()
    number = _CAPSET_NUMBER[platform.machine()]
    _check(_libc.syscall(ctypes.c_long(number), header, nothing), "capset")


def install_filter(program: bytes) -> None:
    """Bind this process and all its future threads to a seccomp program (``struct sock_filter`` after
    ``struct sock_filter``). It cannot be taken off again."""

    class _Program(ctypes.Structure):
        _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_void_p)]

    code = ctypes.create_string_buffer(program, len(program))
    block = _Program(len(program) // 8, ctypes.cast(code, ctypes.c_void_p))
    prctl(PR_SET_NO_NEW_PRIVS, 1)
    seccomp_mode_filter = 2
    pointer = ctypes.cast(ctypes.pointer(block), ctypes.c_void_p).value
    if pointer is None:
        raise OSError(0, "no seccomp program")
    prctl(PR_SET_SECCOMP, seccomp_mode_filter, pointer)
