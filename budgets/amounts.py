"""What a run may use up, and how people write it: dollars, FLOPs, tokens, samples and seconds.

The one place to import amounts from: the types (``quantities``), their parsers (``reading``) and their short
forms (``showing``).
"""

from budgets.quantities import AmountError, Amounts, Budget, BudgetField, Usd, exact_usd
from budgets.reading import parse_count, parse_flops, parse_limit, parse_seconds, parse_usd
from budgets.showing import show_count, show_flops, show_rate, show_seconds, show_usd, usd_text

__all__ = [
    "AmountError",
    "Amounts",
    "Budget",
    "BudgetField",
    "Usd",
    "exact_usd",
    "parse_count",
    "parse_flops",
    "parse_limit",
    "parse_seconds",
    "parse_usd",
    "show_count",
    "show_flops",
    "show_rate",
    "show_seconds",
    "show_usd",
    "usd_text",
]
