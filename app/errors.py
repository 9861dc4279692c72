"""Every failure a user can meet, in one tree: what happened, what to do, and the exit status.

    MonkeysError                 1  a fault of ours
    ├── BadInput                 2  wrong usage, a broken file, an unknown name
    ├── CannotPay                3  the budget buys no sample, or a price is unknown under a cap
    ├── EverySampleFailed        4
    └── PartMissing              5  weights, a key, a sandbox, a proof checker

``message`` is one line that says what is wrong, ``fix`` one line that says what to do about it.
"""

from __future__ import annotations

from typing import ClassVar

__all__ = ["BadInput", "CannotPay", "EverySampleFailed", "MonkeysError", "PartMissing"]


class MonkeysError(Exception):
    kind: ClassVar[str] = "internal"
    status: ClassVar[int] = 1

    def __init__(self, message: str, fix: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.fix = fix


class BadInput(MonkeysError):
    kind = "bad-input"
    status = 2


class CannotPay(MonkeysError):
    kind = "cannot-pay"
    status = 3


class EverySampleFailed(MonkeysError):
    kind = "every-sample-failed"
    status = 4


class PartMissing(MonkeysError):
    kind = "part-missing"
    status = 5
