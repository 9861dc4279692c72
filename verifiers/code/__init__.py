"""Is this program right? Tests run apart from the program they judge; see ``checks.CodeChecker``."""

from verifiers.code.checks import CodeChecker, CodeVerdict
from verifiers.code.tests import BadTests, PythonTests, StdioTests, read_tests

__all__ = ["BadTests", "CodeChecker", "CodeVerdict", "PythonTests", "StdioTests", "read_tests"]
