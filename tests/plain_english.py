"""Hold docstrings, comments and documents to plain English: `make lint` runs this.

It knows words, not sentences: what it finds is wrong, and what it does not find may be. The rule is in
CONTRIBUTING.md: subject, verb, object; the verb of the field; a module's first line says what it is in 80 characters.
"""

import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
DOCUMENTS = ("ARCHITECTURE.md", "CONTRIBUTING.md", "DECISIONS.md", "README.md", "SECURITY.md")
MODULE_LINE = 80
INSTEAD = {
    r"who(m|se)?ever": "someone who, anyone who",
    r"(com(es?|ing)|came) to\b(?! an? end)": "amounts to, results in, becomes",
    r"of which": "whose, and its",
    r"in the same breath": "at once",
    r"puts? to the question": "asked",
    r"(kept|keeps?|puts?) aside": "archived, held back",
    r"lets? go of": "released",
    r"(there|where)(of|from|with|upon|by)": "of it, from it; from which",
    r"brings? about": "causes",
    r"bears? on": "is about",
    r"anew": "again",
    r"hence|thus|lest|whence|whilst|amongst": "a word of today",
}
"""Words that a reader has to translate, and what to write."""

_PATTERNS = {re.compile(rf"\b(?:{pattern})\b", re.IGNORECASE): instead for pattern, instead in INSTEAD.items()}


def texts(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the docstrings and comments of a Python file, or the lines of a document, each with its line number."""
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".py":
        yield from enumerate(text.splitlines(), start=1)
        return
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            yield from enumerate(node.value.value.splitlines(), start=node.lineno)
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def faults(path: Path) -> Iterator[str]:
    """Yield what is wrong in a file, each as `path:line: what`."""
    where = path.relative_to(ROOT)
    for line, text in texts(path):
        for pattern, instead in _PATTERNS.items():
            for found in pattern.finditer(text):
                yield f'{where}:{line}: "{found[0]}": write {instead}'
    if path.suffix == ".py":
        first = (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").partition("\n")[0]
        if len(first) > MODULE_LINE:
            yield f"{where}:1: the first line has {len(first)} characters: say what the module is in {MODULE_LINE}"


def main(*names: str) -> int:
    """Print every fault of the files below these names, or of all; return how many there are, as an exit status."""
    given = [ROOT / name for name in names] or [
        ROOT / "service",
        ROOT / "credentials",
        *(ROOT / each for each in DOCUMENTS),
    ]
    paths = [path for each in given for path in (sorted(each.rglob("*.py")) if each.is_dir() else [each])]
    found = [fault for path in paths for fault in faults(path)]
    sys.stdout.writelines(f"{fault}\n" for fault in found)
    return min(len(found), 1)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
