"""The wall between a strict program and the kernel: an allow-list of system calls as a BPF program.

Whatever is not listed fails with EPERM, which Python turns into a ``PermissionError`` that says so, instead
of a kill that would leave the reader guessing. Calls that the C library tries first and replaces by older
ones fail with ENOSYS, as on an older kernel. A foreign calling convention (32-bit calls on a 64-bit kernel)
is a kill: no honest program gets there.

``struct seccomp_data``: the call's number at 0, the machine at 4, six 64-bit arguments from 16 on.
"""

from __future__ import annotations

import platform
import struct
from typing import Final, NamedTuple

from verifiers.sandbox.inside.syscalls import AARCH64, NUMBERS, X86_64

_MACHINES: Final = {"x86_64": (X86_64, 0xC000003E), "aarch64": (AARCH64, 0xC00000B7)}
"""Column of the table, and the kernel's AUDIT_ARCH value."""

_LOAD: Final = 0x20
_AND: Final = 0x54
_JUMP_EQUAL: Final = 0x15
_JUMP_AT_LEAST: Final = 0x35
_RETURN: Final = 0x06

_ALLOW: Final = 0x7FFF0000
_KILL: Final = 0x80000000
_EPERM: Final = 0x00050000 | 1
_ENOSYS: Final = 0x00050000 | 38

_FIRST_UNKNOWN_CALL: Final = 463
"""Calls newer than those of Linux 6.8 do not exist here: the C library then takes the older way."""
_X32_CALLS: Final = 0x40000000


class _Rule(NamedTuple):
    """A call is allowed when ``argument & mask`` is one of ``values`` (low 32 bits)."""

    argument: int
    mask: int
    values: tuple[int, ...]


_CLONE_THREAD: Final = 0x00010000
_CLONE_NEW_ANYTHING: Final = 0x7E020000
_WHOLE: Final = 0xFFFFFFFF
_AF_UNIX: Final = 1

_RULES: Final[dict[str, _Rule]] = {
    "clone": _Rule(0, _CLONE_THREAD | _CLONE_NEW_ANYTHING, (_CLONE_THREAD,)),
    # TCGETS, TIOCGWINSZ, FIONREAD, FIONBIO, FIONCLEX, FIOCLEX
    "ioctl": _Rule(1, _WHOLE, (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)),
    "prctl": _Rule(0, _WHOLE, (15, 16)),  # PR_SET_NAME, PR_GET_NAME
    "prlimit64": _Rule(0, _WHOLE, (0,)),
    "socketpair": _Rule(0, _WHOLE, (_AF_UNIX,)),  # asyncio wakes its own loop through one
}
_ABSENT: Final = ("clone3",)
_SIGNALS: Final = ("kill", "tgkill", "tkill")


def strict_filter(*, only_pid: int | None = None) -> bytes:
    """The program for this machine. ``only_pid`` allows signals to that process alone, for boxes whose
    programs do not have a pid namespace of their own. Raises ``OSError`` on a machine without a table."""
    machine = platform.machine()
    if machine not in _MACHINES:
        raise OSError(0, f"no list of system calls for {machine}")
    column, audit_arch = _MACHINES[machine]
    rules = dict(_RULES)
    if only_pid is not None:
        rules |= dict.fromkeys(_SIGNALS, _Rule(0, _WHOLE, (only_pid,)))

    code = [
        _load(4),
        _step(_JUMP_EQUAL, audit_arch, 1, 0),
        _step(_RETURN, _KILL),
        _load(0),
        _step(_JUMP_AT_LEAST, _X32_CALLS, 0, 1),
        _step(_RETURN, _KILL),
        _step(_JUMP_AT_LEAST, _FIRST_UNKNOWN_CALL, 0, 1),
        _step(_RETURN, _ENOSYS),
    ]
    for name, numbers in NUMBERS.items():
        number = numbers[column]
        if number is None:
            continue
        if name in _ABSENT:
            body = [_step(_RETURN, _ENOSYS)]
        elif name in rules:
            body = _argument_check(rules[name])
        else:
            body = [_step(_RETURN, _ALLOW)]
        code.append(_step(_JUMP_EQUAL, number, 0, len(body)))
        code.extend(body)
    code.append(_step(_RETURN, _EPERM))
    return b"".join(code)


_DENIED_TO_COMMANDS: Final[dict[str, tuple[int, int]]] = {
    "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41), "unshare": (272, 97),
    "setns": (308, 268), "open_tree": (428, 428), "move_mount": (429, 429), "fsopen": (430, 430),
    "mount_setattr": (442, 442), "open_by_handle_at": (304, 265), "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426), "io_uring_register": (427, 427), "userfaultfd": (323, 282),
    "add_key": (248, 217), "request_key": (249, 218), "keyctl": (250, 219), "bpf": (321, 280),
    "perf_event_open": (298, 241), "kexec_load": (246, 104), "init_module": (175, 105),
    "finit_module": (313, 273),
}  # fmt: skip
"""Calls that no test needs and that have been the ways out of such boxes, by column of the table."""
_CLONE: Final = (56, 220)
_CLONE3: Final = 435


def command_filter() -> bytes:
    """The program for commands, which may start others: a list of what is denied, since nobody can list what
    a project's tools call. New namespaces are among it; ``clone3``, whose flags lie in memory, does not
    exist. Raises ``OSError`` on a machine without a table."""
    machine = platform.machine()
    if machine not in _MACHINES:
        raise OSError(0, f"no list of system calls for {machine}")
    column, audit_arch = _MACHINES[machine]
    code = [
        _load(4),
        _step(_JUMP_EQUAL, audit_arch, 1, 0),
        _step(_RETURN, _KILL),
        _load(0),
        _step(_JUMP_AT_LEAST, _X32_CALLS, 0, 1),
        _step(_RETURN, _KILL),
        _step(_JUMP_EQUAL, _CLONE3, 0, 1),
        _step(_RETURN, _ENOSYS),
    ]
    for numbers in _DENIED_TO_COMMANDS.values():
        code += [_step(_JUMP_EQUAL, numbers[column], 0, 1), _step(_RETURN, _EPERM)]
    code += [
        _step(_JUMP_EQUAL, _CLONE[column], 0, 4),
        _load(16),
        _step(_AND, _CLONE_NEW_ANYTHING),
        _step(_JUMP_EQUAL, 0, 1, 0),
        _step(_RETURN, _EPERM),
        _step(_RETURN, _ALLOW),
    ]
    return b"".join(code)


def _argument_check(rule: _Rule) -> list[bytes]:
    body = [_load(16 + 8 * rule.argument), _step(_AND, rule.mask)]
    for value in rule.values:
        body += [_step(_JUMP_EQUAL, value, 0, 1), _step(_RETURN, _ALLOW)]
    return [*body, _step(_RETURN, _EPERM)]


def _load(offset: int) -> bytes:
    return _step(_LOAD, offset)


def _step(operation: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", operation, if_true, if_false, value)
