"""A small repository with a real bug: a basket that forgets how many of a thing were put into it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ISSUE = "Basket.total() is wrong when several of a thing are added: three pens at 2 cost 2 and not 6."
PYTEST = f"PYTEST_DISABLE_PLUGIN_AUTOLOAD=1 {sys.executable} -m pytest -q tests/test_basket.py"
"""This suite's own pytest in the user's place, without the plugins, which take a second to load."""

BASKET = '''\
"""A basket of things to buy."""


class Basket:
    def __init__(self):
        self._lines = {}

    def add(self, name, price, count=1):
        self._lines[name] = (price, count)

    def total(self):
        return sum(price for price, count in self._lines.values())
'''
TESTS = """\
from shop.basket import Basket


def test_one_thing():
    basket = Basket()
    basket.add("pen", 2)
    assert basket.total() == 2


def test_several_of_a_thing():
    basket = Basket()
    basket.add("pen", 2, count=3)
    assert basket.total() == 6
"""
FILES = {
    "shop/__init__.py": "",
    "shop/basket.py": BASKET,
    "shop/names.py": "GREETING = 'Welcome'\n",
    "tests/test_basket.py": TESTS,
    "README.md": "A shop.\n",
    "conftest.py": "",
    ".gitignore": "secret.env\n*.so\n",
}
OLD = "        return sum(price for price, count in self._lines.values())"
NEW = "        return sum(price * count for price, count in self._lines.values())"
SUM = "        return sum(price + count for price, count in self._lines.values())"


def block(path: str, search: str, replace: str) -> str:
    return f"{path}\n<<<<<<< SEARCH\n{search}\n=======\n{replace}\n>>>>>>> REPLACE\n"


RIGHT = f"The count is left out.\n\n{block('shop/basket.py', OLD, NEW)}"
WRONG = f"The count is left out.\n\n{block('shop/basket.py', OLD, SUM)}"
RIGHT_AS_DIFF = f"""\
```diff
--- a/shop/basket.py
+++ b/shop/basket.py
@@ -10,3 +10,3 @@ class Basket:
     def total(self):
-{OLD}
+{NEW}
```
"""


def make_shop(folder: Path, *, git: bool = True) -> Path:
    """The repository in ``folder``, committed once."""
    for path, text in FILES.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    if git:
        for command in (
            ("init", "-q"),
            ("add", "."),
            ("-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "first"),
        ):
            subprocess.run(["git", "-C", str(folder), *command], check=True)
    return folder


def listing(folder: Path) -> dict[str, bytes]:
    """All that stands there, git's own folder included, but for what git rewrites when it only looks."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "index"
    }
