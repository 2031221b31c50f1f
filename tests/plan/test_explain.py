"""Plans as text: the same on every machine, and a change shows in a file.

UPDATE_GOLDENS=1 writes the files anew.
"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from smpc_sql.catalog import Catalog, Fragment
from smpc_sql.plan.explain import explain_delivery, explain_value, plan_digest
from smpc_sql.schema import Boolean, Date, Decimal, Enum, Integer, SqlType
from smpc_sql.sql.compile import compile_select
from tests.plan.judge import QUERIES, ROOT, heart_catalog, queries
from tests.plan.small import FILES, small_world

GOLDEN = ROOT / "tests" / "golden"


@pytest.fixture(scope="module")
def heart() -> Catalog:
    return heart_catalog()


@pytest.fixture(scope="module")
def small() -> Catalog:
    return small_world().catalog


@pytest.mark.parametrize("path", sorted(QUERIES.glob("*.sql")), ids=lambda path: path.stem)
def test_plans_are_as_they_were(heart: Catalog, path: Path) -> None:
    plans = [f"{sql};\n{explain_delivery(compile_select(sql, heart))}\n" for sql in queries(path)]
    golden = GOLDEN / f"{path.stem}.txt"
    if os.environ.get("UPDATE_GOLDENS"):
        golden.write_text("\n".join(plans))
    assert golden.read_text() == "\n".join(plans)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_relational_plans_are_as_they_were(small: Catalog, path: Path) -> None:
    plans = [f"{sql};\n{explain_delivery(compile_select(sql, small))}\n" for sql in queries(path)]
    golden = GOLDEN / "relational" / f"{path.stem}.txt"
    if os.environ.get("UPDATE_GOLDENS"):
        golden.write_text("\n".join(plans))
    assert golden.read_text() == "\n".join(plans)


DIGESTS = """
from smpc_sql.plan.explain import plan_digest
from smpc_sql.sql.compile import compile_select
from tests.plan.judge import QUERIES, heart_catalog, queries
import hashlib
heart, digest = heart_catalog(), hashlib.sha256()
for path in sorted(QUERIES.glob("*.sql")):
    for sql in queries(path)[::2]:
        digest.update(plan_digest(compile_select(sql, heart), heart, "1"))
print(digest.hexdigest())
"""


def test_digests_do_not_depend_on_hash_seeds() -> None:
    digests = set()
    for seed in ("0", "1", "4711"):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)}
        run = subprocess.run(
            [sys.executable, "-c", DIGESTS], env=environment, cwd=ROOT, capture_output=True, text=True, check=True
        )
        digests.add(run.stdout)
    assert len(digests) == 1


def test_digests_tell_plans_catalogs_and_versions_apart(heart: Catalog) -> None:
    delivery = compile_select("SELECT age FROM heart", heart)
    other = compile_select("SELECT age AS years FROM heart", heart)
    more = heart.with_fragment("model", Fragment("m2", "university", 0))
    digests = [
        plan_digest(delivery, heart, "1"),
        plan_digest(delivery, heart, "2"),
        plan_digest(delivery, more, "1"),
        plan_digest(other, heart, "1"),
        plan_digest(replace(delivery, ranked=True), heart, "1"),
    ]
    assert len(set(digests)) == len(digests)
    assert plan_digest(compile_select("SELECT  age FROM heart;", heart), heart, "1") == digests[0]


def test_different_queries_have_different_plans(heart: Catalog) -> None:
    texts = [
        "SELECT COUNT(*) FROM heart WHERE chol > 200",
        "SELECT COUNT(*) FROM heart WHERE chol > 201",
        "SELECT COUNT(*) FROM heart WHERE chol >= 200",
        "SELECT COUNT(*) FROM heart WHERE thalach > 200",
        "SELECT COUNT(chol) FROM heart WHERE chol > 200",
        "SELECT COUNT(*) FROM heart h, model m WHERE h.age > m.age",
        "SELECT COUNT(*) FROM heart h, model m WHERE m.age > h.age",
        "SELECT COUNT(*) FROM heart WHERE age // 10 = 5",
        "SELECT COUNT(*) FROM heart GROUP BY age // 10",
        "SELECT COUNT(*) FROM heart GROUP BY age // 11",
        "SELECT COUNT(*) FROM heart GROUP BY age % 10",
    ]
    plans = [explain_delivery(compile_select(text, heart)) for text in texts]
    assert len(set(plans)) == len(plans)


def test_columns_of_one_name_are_told_apart(heart: Catalog) -> None:
    text = explain_delivery(compile_select("SELECT SUM(h.age * m.age) FROM heart h, model m", heart))
    assert "sum((age#0 * age#2))" in text


@pytest.mark.parametrize(
    ("value", "type_", "text"),
    [
        (None, Integer(), "NULL"),
        (-7, Integer(), "-7"),
        (150, Decimal(5, 2), "1.50"),
        (-5, Decimal(5, 3), "-0.005"),
        (1, Boolean(), "TRUE"),
        (0, Date(), "'1970-01-01'"),
        (1, Enum(("a", "it's")), "'it''s'"),
    ],
)
def test_values_print_as_sql(value: int | None, type_: SqlType, text: str) -> None:
    assert explain_value(value, type_) == text
