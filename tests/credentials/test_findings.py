import ast
import re
from pathlib import Path

from credentials.findings import CODES
from credentials.proofs.data_integrity import SUITES
from credentials.proofs.jose import Form

SOURCES = Path(__file__).parents[2] / "credentials"
OTHER_NAMES = {*SUITES, *Form.__args__, "latin-1", "utf-8", "utf-8-sig"}  # type: ignore[attr-defined] # Literal's


def kebab_case_texts() -> set[str]:
    trees = [
        ast.parse(path.read_text(encoding="utf-8")) for path in SOURCES.rglob("*.py") if path.name != "findings.py"
    ]
    constants = (node.value for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Constant))
    return {text for text in constants if isinstance(text, str) and re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)+", text)}


def test_every_code_in_the_source_has_a_meaning_and_every_meaning_a_code() -> None:
    assert kebab_case_texts() - OTHER_NAMES == CODES.keys()


def test_meanings_are_sentences_and_differ() -> None:
    assert [meaning for meaning in CODES.values() if not re.fullmatch(r"[A-Z].*\.", meaning)] == []
    assert len(set(CODES.values())) == len(CODES)
