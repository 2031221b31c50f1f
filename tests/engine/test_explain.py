"""EXPLAIN as a fixture: a change of operators, rounds or bytes shows as a changed line.

UPDATE_GOLDENS=1 writes it anew.
"""

from __future__ import annotations

import os

from smpc_sql.engine.explain import explain
from smpc_sql.engine.prepare import prepare
from tests.plan.judge import ROOT, heart_catalog

GOLDEN = ROOT / "tests" / "golden" / "explain.txt"

QUERIES = (
    "SELECT COUNT(*) FROM heart",
    "SELECT COUNT(*) FROM heart WHERE age > 50 AND chol < 250",
    "SELECT SUM(age * chol) FROM heart WHERE thalach < 150",
    "SELECT sex, COUNT(*) AS n, AVG(chol) AS chol FROM heart WHERE age > 50 GROUP BY sex ORDER BY sex",
    "SELECT owner, STDDEV(age) FROM heart GROUP BY owner HAVING COUNT(*) > 200",
    "SELECT MIN(age), MAX(oldpeak) FROM heart WHERE sex = 1",
    "SELECT age, chol FROM heart WHERE age > 75",
    "SELECT age, COUNT(*) AS n FROM heart GROUP BY age ORDER BY n DESC, age LIMIT 3",
    "SELECT AVG(m.b0 + m.age * h.age + m.chol * h.chol) FROM heart h CROSS JOIN model m WHERE h.chol > 0",
    "SELECT chol, thalach, COUNT(DISTINCT age) FROM heart GROUP BY chol, thalach",
)


def test_explain_is_as_it_was() -> None:
    catalog = heart_catalog()
    texts = [f"{sql};\n{explain(prepare(sql, catalog), 3)}\n" for sql in QUERIES]
    if os.environ.get("UPDATE_GOLDENS"):
        GOLDEN.write_text("\n".join(texts), encoding="utf-8")
    assert "\n".join(texts) == GOLDEN.read_text(encoding="utf-8")
