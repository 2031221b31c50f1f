"""docs/sql.md tells the truth: its support table is what the planner says today."""

from __future__ import annotations

from tests.support import CONSTRUCTS, PAGE, page_with, table


def test_the_support_table_is_up_to_date() -> None:
    assert page_with(table()) == PAGE.read_text(encoding="utf-8"), "run python -m tests.support"


def test_the_table_has_every_construct_once() -> None:
    assert len({construct for construct, _ in CONSTRUCTS}) == len({sql for _, sql in CONSTRUCTS}) == len(CONSTRUCTS)
