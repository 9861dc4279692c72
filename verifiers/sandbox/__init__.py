"""Programs that a model wrote, run where they can do no harm. See ``pool.Sandbox``."""

from verifiers.sandbox.pool import Sandbox
from verifiers.sandbox.results import BoxFailed, CheckResult, NoSandbox, RunResult, Status

__all__ = ["BoxFailed", "CheckResult", "NoSandbox", "RunResult", "Sandbox", "Status"]
