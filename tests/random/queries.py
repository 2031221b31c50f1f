"""Random queries over the whole grammar: templates, in which the name of a kind stands for any expression of it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from hypothesis import strategies as st

from tests.random.schemas import Table

NUMBERS = ("int", "num", "real")

CONSTANTS = {
    "int": ["0", "1", "2", "(-3)", "7"],
    "num": ["2.5", "0.01", "(-0.5)"],
    "truth": ["TRUE", "FALSE"],
    "date": ["DATE '2020-02-29'", "DATE '2020-12-31'"],
    "label": ["'x'", "'y'", "'nowhere'"],
    "text": ["'ab'", "'abcdefgh'", "''", "'abcdefgh and more'"],
    "real": ["0.25::DOUBLE"],
    "stamp": ["TIMESTAMP '2020-02-29 00:00:00'"],
}

GROWTH = {
    "int": [
        "(int + int)", "(int - int)", "(int * int)", "(-int)", "ABS(int)", "SIGN(num)", "COALESCE(int, int)",
        "NULLIF(int, int)", "CASE WHEN truth THEN int ELSE int END", "(date - date)", "(int % 3)", "(int // 2)",
        "EXTRACT(year FROM date)", "EXTRACT(dow FROM date)", "LENGTH(text)", "CAST(truth AS INTEGER)", "(int % int)",
        "CAST(num AS INTEGER)", "date_diff('day', stamp, stamp)", "EXTRACT(hour FROM stamp)", "GREATEST(int, int)",
        "POSITION('b' IN text)", "STRPOS(text, 'ab')", "ASCII(text)", "STRPOS(label, 'e')", "LEVENSHTEIN(label, 'z')",
        "EXTRACT(year FROM AGE(date, date))", "EXTRACT(month FROM AGE(date, stamp))",
        "EXTRACT(hour FROM stamp - stamp)", "EXTRACT(day FROM stamp - stamp)", "EXTRACT(day FROM AGE(stamp, date))",
        "TRY_CAST(text AS INTEGER)", "TRY_CAST(CAST(int AS VARCHAR) AS BIGINT)",
    ],
    "num": [
        "(num + num)", "(num - int)", "(num * num)", "ROUND(num, 1)", "FLOOR(num)", "CEIL(num)", "GREATEST(num, int)",
        "LEAST(num, num)", "CASE WHEN truth THEN num ELSE int END", "COALESCE(num, int)", "CAST(int AS DECIMAL(9,2))",
    ],
    "truth": [
        "(int < num)", "(num >= num)", "(int = int)", "(num <> int)", "(truth AND truth)", "(truth OR truth)",
        "(NOT truth)", "(num BETWEEN int AND num)", "(int IN (1, 2, 7))", "(num IS NULL)", "(text IS NOT NULL)",
        "(date < date)", "(date = date)", "(text = text)", "(text < text)", "(text <> text)", "(text >= text)",
        "(label = label)", "(label = text)", "(text IN ('ab', 'Zed', ''))", "(text LIKE 'a%')", "(text LIKE '%b%')",
        "(text LIKE '%b%f_h%')", "(text NOT LIKE '_b')", "(label LIKE '%e%')", "(stamp < stamp)", "(stamp >= date)",
        "(real > num)", "(real = real)", "(int IS DISTINCT FROM int)", "(text IS NOT DISTINCT FROM text)",
        "((int, num) < (int, num))", "((int, text) IN ((1, 'ab'), (int, text)))", "((int, date) = (int, date))",
        "(num / int > real)", "(truth IS TRUE)", "CASE WHEN truth THEN truth END", "starts_with(text, 'a')",
        "suffix(text, 'b')", "contains(text, 'ab')", "(label ~ '^[a-n]')",
        "(text ~ 'a.?b')", "(text SIMILAR TO '[a-f ]*')", "(text ~ '^(Z|a)')",
        "(stamp - stamp > INTERVAL 1 DAY)", "(AGE(stamp, date) > INTERVAL 2 YEAR)",
        "(AGE(date, date) <= AGE(stamp, stamp))", "(stamp - stamp < (stamp - stamp) * 2)",
    ],
    "date": [
        "CASE WHEN truth THEN date END", "COALESCE(date, date)", "LEAST(date, date)", "(date + int)",
        "CAST(DATE_TRUNC('month', date) AS DATE)", "CAST(stamp AS DATE)", "CAST(date + INTERVAL 1 MONTH AS DATE)",
        "TRY_CAST(strftime(date, '%Y-%m-28') AS DATE)", "TRY_CAST(text AS DATE)",
        "CAST(try_strptime(strftime(date, '%d.%m.%Y'), '%d.%m.%Y') AS DATE)",
    ],
    "label": [],
    "text": [
        "CASE WHEN truth THEN text ELSE text END", "COALESCE(text, text)", "LEFT(text, 2)", "RIGHT(text, 3)",
        "SUBSTRING(text, 2, 3)", "LOWER(text)", "UPPER(text)", "(text || text)", "(text || '-')",
        "CAST(label AS VARCHAR)", "CAST(int AS VARCHAR)", "REPLACE(text, 'b', '')", "REPLACE(text, 'ab', 'c')",
        "REPLACE(text, 'a', '<>')", "TRANSLATE(text, 'abc ', 'xy')", "SPLIT_PART(text, 'b', 2)", "LPAD(text, 5, '*-')",
        "SPLIT_PART(text, ' ', -1)", "RPAD(text, 4, '.')", "REVERSE(text)", "REPEAT(text, 2)",
        "REPLACE(label, 'e', 'E')",
        "CONCAT_WS(',', text, text)", "OVERLAY(text PLACING 'x' FROM 2)", "REGEXP_REPLACE(label, '[aeiou]', '', 'g')",
    ],
    "real": ["(num / int)", "(real + num)", "(real * real)", "(real / 4)", "(real - real)", "(int / 2)",
             "(num * num * int / (int * int))", "CASE WHEN truth THEN real ELSE real END", "EPOCH(stamp - stamp)"],
    "stamp": ["COALESCE(stamp, stamp)", "(stamp + INTERVAL 90 MINUTE)", "DATE_TRUNC('hour', stamp)",
              "TRY_CAST(text AS TIMESTAMP)", "TRY_CAST(strftime(stamp, '%d') AS TIMESTAMP)", "CAST(date AS TIMESTAMP)",
              "TRY_CAST(date || ' 01:02:03' AS TIMESTAMP)"],
}  # fmt: skip

AGGREGATES = [
    "COUNT(*)", "COUNT(int)", "COUNT(text)", "SUM(num)", "SUM(int)", "AVG(num)", "MIN(num)", "MAX(int)", "MIN(text)",
    "MAX(text)", "MIN(date)", "MAX(stamp)", "COUNT(DISTINCT text)", "COUNT(DISTINCT int)", "SUM(DISTINCT int)",
    "MIN(stamp - stamp)", "MAX(AGE(stamp, stamp))", "EXTRACT(day FROM MAX(stamp - stamp))", "MEDIAN(stamp - stamp)",
    "SUM(num) FILTER (WHERE truth)", "COUNT(*) FILTER (WHERE truth)", "VAR_SAMP(num)", "STDDEV_POP(int)",
    "BOOL_AND(truth)", "BOOL_OR(truth)", "SUM(real)", "AVG(real)", "MAX(real)", "CORR(num, int)",
    "REGR_SLOPE(num, int)", "COVAR_POP(num, num)", "MEDIAN(num)", "AVG(num) + 2 * STDDEV(num)",
    "AVG(int) - STDDEV_POP(num) / 3", "ABS(CORR(num, int))", "QUANTILE_DISC(int, 0.25)", "QUANTILE_CONT(num, 0.9)",
    "PERCENTILE_CONT(0.25) WITHIN GROUP (ORDER BY num)", "SUM(num) / COUNT(*)", "MAX(num) - MIN(num)",
    "CASE WHEN COUNT(*) > 1 THEN SUM(int) ELSE -1 END", "SUM(num / 4)", "COALESCE(SUM(int), 0)",
    "SUM((num - int) * (num - int) / int)", "SUM(CASE WHEN truth THEN num * num / int END)",
]  # fmt: skip

HAVINGS = [
    "COUNT(*) > 1",
    "AVG(num) > 1.5",
    "AVG(num) + STDDEV(int) > 2",
    "SUM(int) IS NOT NULL",
    "MIN(text) < 'b'",
    "SUM(num) > (SELECT 1)",
]

WINDOWS = [
    "RANK() OVER (PARTITION BY any ORDER BY any)", "DENSE_RANK() OVER (ORDER BY any DESC)",
    "SUM(int) OVER (PARTITION BY any)", "SUM(num) OVER (PARTITION BY any ORDER BY any)",
    "COUNT(*) OVER (ORDER BY any NULLS FIRST)", "AVG(num) OVER ()", "MAX(num) OVER (PARTITION BY any ORDER BY any)",
    "MIN(int) OVER (ORDER BY any)", "COUNT(text) OVER (PARTITION BY any)", "PERCENT_RANK() OVER (ORDER BY any)",
    "CUME_DIST() OVER (PARTITION BY any ORDER BY any)",
    "SUM(num) OVER (PARTITION BY any ORDER BY int RANGE BETWEEN 2 PRECEDING AND 1 FOLLOWING)",
    "AVG(int) OVER (ORDER BY date DESC RANGE BETWEEN INTERVAL 40 DAYS PRECEDING AND CURRENT ROW)",
]  # fmt: skip
ORDERED_WINDOWS = [
    "ROW_NUMBER() OVER (ORDER BY key)", "LAG(int) OVER (ORDER BY key)", "LEAD(text, 2) OVER (ORDER BY key DESC)",
    "NTILE(3) OVER (ORDER BY key)", "FIRST_VALUE(text) OVER (PARTITION BY any ORDER BY key)",
    "SUM(num) OVER (ORDER BY key ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING)",
    "MAX(int) OVER (ORDER BY key ROWS BETWEEN 2 PRECEDING AND CURRENT ROW)",
]  # fmt: skip
CORRELATED = [
    "{number} > (SELECT num FROM {other} WHERE {theirs} = {mine} ORDER BY 1 LIMIT 1)",
    "{number} <= (SELECT num FROM {other} WHERE {theirs} = {mine} AND {pair} ORDER BY 1 DESC LIMIT 1 OFFSET 1)",
    "{mine} NOT IN (SELECT {theirs} FROM {other} WHERE truth AND {pair} ORDER BY 1 LIMIT 2)",
    "EXISTS (SELECT {theirs} FROM {other} WHERE {theirs} = {mine} GROUP BY {theirs} HAVING COUNT(*) > 1)",
    "EXISTS (SELECT SUM(num) FROM {other} WHERE {theirs} = {mine} AND {pair} HAVING COUNT(*) <> 1)",
    "{number} NOT IN (SELECT SUM(num) FROM {other} WHERE {theirs} = {mine} GROUP BY any)",
    "{number} > (SELECT MAX(num) FROM {other} WHERE {theirs} = {mine} HAVING COUNT(*) > 1)",
    "({mine}, {number}) NOT IN (SELECT {theirs}, num FROM {other})",
    "(SELECT SUM(x) FROM (SELECT num AS x FROM {other} WHERE {theirs} = {mine} ORDER BY 1 LIMIT 2)) > 1",
    "(SELECT COUNT(DISTINCT x) FROM (SELECT {theirs} AS x FROM {other} WHERE {pair} UNION SELECT {mine})) > 1",
    "{mine} IN (SELECT {theirs} FROM {other} WHERE {pair} EXCEPT SELECT {theirs} FROM {other} WHERE truth)",
    "{number} > (SELECT RANK() OVER (ORDER BY num) FROM {other} WHERE {theirs} = {mine} ORDER BY 1 DESC LIMIT 1)",
]  # fmt: skip
LATERAL = [
    ("SELECT {theirs}, num FROM {other} WHERE {theirs} = {mine} ORDER BY 1, 2 LIMIT 2", ("mine", "num")),
    ("SELECT COUNT(*), SUM(num) FROM {other} WHERE {theirs} = {mine}", ("int", "num")),
    ("SELECT COUNT(*), MAX(num) FROM {other} WHERE {pair}", ("int", "num")),
    ("SELECT {theirs}, COUNT(*) FROM {other} WHERE {pair} GROUP BY {theirs} HAVING COUNT(*) < 4", ("mine", "int")),
    ("SELECT DISTINCT {theirs} FROM {other} WHERE {theirs} = {mine} OR {pair}", ("mine",)),
    ("SELECT {mine}, 1 UNION ALL SELECT {theirs}, num FROM {other} WHERE {pair}", ("mine", "num")),
    ("VALUES ({mine}, 1), (NULL, 2)", ("mine", "int")),
]  # fmt: skip
PLACES = re.compile(r"\b(int|num|truth|date|label|text|real|stamp|any)\b")


@dataclass(frozen=True)
class Scope:
    """The columns that an expression may name, by kind; key: one whose values do not repeat, and are not NULL."""

    columns: tuple[tuple[str, str], ...]
    key: str | None = None

    def of(self, kind: str) -> list[str]:
        """The names of a kind; an ENUM's values may stand for text where it is cast."""
        return [name for name, its in self.columns if its == kind]


def expression(draw: st.DrawFn, scope: Scope, kind: str, depth: int) -> str:
    """An expression of a kind ("any": of one that the scope has), at most `depth` operations deep."""
    if kind == "any":
        kind = draw(st.sampled_from(sorted({its for _, its in scope.columns if its in GROWTH} or {"int"})))
        if scope.of(kind) and draw(st.integers(0, 2)):
            return draw(st.sampled_from(scope.of(kind)))
    if kind == "num" and draw(st.integers(0, 2)) == 0:
        kind = "int"
    growth = GROWTH[kind]
    names = scope.of(kind)
    if depth == 0 or not growth or draw(st.integers(0, 2)) == 0:
        if names and draw(st.integers(0, 7)):
            return draw(st.sampled_from(names))
        return draw(st.sampled_from(CONSTANTS[kind]))
    return filled(draw, scope, draw(st.sampled_from(growth)), depth - 1)


def filled(draw: st.DrawFn, scope: Scope, template: str, depth: int) -> str:
    """A template with each kind's name replaced by an expression of that kind."""
    if scope.key is not None:
        template = re.sub(r"\bkey\b", scope.key, template)
    return PLACES.sub(lambda match: expression(draw, scope, match[1], depth), template)


class Maker:
    """Draws queries over tables."""

    def __init__(self, draw: st.DrawFn, tables: Sequence[Table]) -> None:
        self.draw = draw
        self.tables = tables
        self.names = 0

    def flip(self, one_in: int = 2) -> bool:
        return self.draw(st.integers(1, one_in)) == 1

    def pick(self, items: Sequence[str]) -> str:
        return self.draw(st.sampled_from(list(items)))

    def alias(self) -> str:
        self.names += 1
        return f"s{self.names}"

    # FROM

    def table(self) -> tuple[str, Scope]:
        table = self.draw(st.sampled_from(list(self.tables)))
        alias = self.alias()
        columns = tuple((f"{alias}.{c.name}", c.kind) for c in table.columns)
        return f"{table.name} AS {alias}", Scope(columns, f"{alias}.{table.key}" if table.primary else None)

    def relation(self, depth: int) -> tuple[str, Scope]:
        if depth and self.flip(4):
            sql, kinds = self.select(depth - 1)
            alias = self.alias()
            return f"({sql}) AS {alias}", Scope(tuple((f"{alias}.x{i}", kind) for i, kind in enumerate(kinds)))
        return self.table()

    def source(self, depth: int) -> tuple[str, Scope]:
        sql, scope = self.relation(depth)
        for _ in range(self.draw(st.sampled_from([0, 0, 1, 1, 2]))):
            other, beside = self.relation(depth)
            both = Scope((*scope.columns, *beside.columns))
            beside_it = self.lateral(scope) if self.flip(5) else None
            if beside_it is not None:
                sql, scope = f"{sql} {beside_it[0]}", beside_it[1]
                continue
            kind = self.pick(["JOIN", "JOIN", "LEFT JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "CROSS JOIN"])
            on = "" if kind == "CROSS JOIN" else self.condition(scope, beside, both, kind)
            if on is None:
                continue
            sql, scope = f"{sql} {kind} {other}{on}", both
        return sql, scope

    def condition(self, left: Scope, right: Scope, both: Scope, kind: str) -> str | None:
        """ON with an equality of two columns of one kind, and maybe more; None if there are none."""
        pairs = [(a, b) for a, its in left.columns for b, other in right.columns if its == other != "other"]
        if not pairs:
            return None
        a, b = self.draw(st.sampled_from(pairs))
        more = f" AND {expression(self.draw, both, 'truth', 1)}" if kind != "FULL JOIN" and self.flip(3) else ""
        return f" ON {a} = {b}{more}"

    # WHERE

    def predicate(self, scope: Scope, depth: int) -> str:
        if not (depth and self.flip(3)):
            return expression(self.draw, scope, "truth", 2)
        other, inner = self.table()
        pairs = [(a, b) for a, its in scope.columns for b, kind in inner.columns if its == kind != "other"]
        if not pairs:
            return expression(self.draw, scope, "truth", 2)
        mine, theirs = self.draw(st.sampled_from(pairs))
        both = Scope((*scope.columns, *inner.columns))
        template = self.pick(
            [
                "{mine} IN (SELECT {theirs} FROM {other} WHERE truth)",
                "{mine} NOT IN (SELECT {theirs} FROM {other})",
                "EXISTS (SELECT 1 FROM {other} WHERE {theirs} = {mine} AND truth)",
                "NOT EXISTS (SELECT 1 FROM {other} WHERE {theirs} = {mine})",
                "{number} > (SELECT SUM(num) FROM {other} WHERE {theirs} = {mine})",
                "{number} <= (SELECT AVG(num) FROM {other})",
                "(SELECT COUNT(*) FROM {other} WHERE {theirs} = {mine}) > 1",
                "EXISTS (SELECT 1 FROM {other} WHERE {theirs} = {mine} AND {pair})",
                *CORRELATED,
            ]
        )
        number = expression(self.draw, scope, "num", 1)
        a, b = self.draw(st.sampled_from(pairs))
        text = template.format(mine=mine, theirs=theirs, other=other, number=number, pair=f"{a} <> {b}")
        return filled(self.draw, inner if "AND {pair}" not in template else both, text, 1)

    def lateral(self, scope: Scope) -> tuple[str, Scope] | None:
        """A subquery of FROM that reads the tables before it; None where it would have nothing to read."""
        other, inner = self.table()
        pairs = [(a, b) for a, its in scope.columns for b, kind in inner.columns if its == kind]
        if not pairs:
            return None
        mine, theirs = self.draw(st.sampled_from(pairs))
        template, kinds = self.draw(st.sampled_from(LATERAL))
        a, b = self.draw(st.sampled_from(pairs))
        text = template.format(mine=mine, theirs=theirs, other=other, pair=f"{a} <> {b}")
        alias = self.alias()
        names = ", ".join(f"x{i}" for i in range(len(kinds)))
        kind = dict(scope.columns)[mine]
        columns = tuple((f"{alias}.x{i}", kind if its == "mine" else its) for i, its in enumerate(kinds))
        join = self.pick(["CROSS JOIN LATERAL ({}) AS {}({})", "LEFT JOIN LATERAL ({}) AS {}({}) ON TRUE"])
        sql = join.format(filled(self.draw, inner, text, 1), alias, names)
        return sql, Scope((*scope.columns, *columns))

    # SELECT

    def select(self, depth: int) -> tuple[str, list[str]]:
        """A SELECT with outputs x0, x1, … and their kinds; its rows are determined, their order is not."""
        sql, scope = self.source(depth)
        where = f" WHERE {self.predicate(scope, depth)}" if self.flip() else ""
        if self.flip():
            return self.grouped(sql, scope, where)
        kinds = [self.draw(st.sampled_from(sorted(GROWTH))) for _ in range(self.draw(st.integers(1, 3)))]
        items = [expression(self.draw, scope, kind, 2) for kind in kinds]
        distinct = "DISTINCT " if self.flip(6) else ""
        if not distinct and self.flip(3):
            windows = WINDOWS + (ORDERED_WINDOWS if scope.key and "JOIN" not in sql else [])
            window = self.pick(windows)
            items.append(filled(self.draw, scope, window, 0))
            kinds.append("other" if "(text" in window else "num")
        outputs = ", ".join(f"{item} AS x{i}" for i, item in enumerate(items))
        return f"SELECT {distinct}{outputs} FROM {sql}{where}", kinds

    def grouped(self, sql: str, scope: Scope, where: str) -> tuple[str, list[str]]:
        keys = [expression(self.draw, scope, "any", 1) for _ in range(self.draw(st.integers(0, 2)))]
        keys = [key for key in dict.fromkeys(keys) if re.search(r"\bs\d+\.", key)]
        calls = [filled(self.draw, scope, self.pick(AGGREGATES), 1) for _ in range(self.draw(st.integers(1, 3)))]
        outputs = ", ".join(f"{item} AS x{i}" for i, item in enumerate([*keys, *calls]))
        group = f" GROUP BY {self.grouping(keys)}" if keys else ""
        having = f" HAVING {filled(self.draw, scope, self.pick(HAVINGS), 1)}" if self.flip(4) else ""
        return f"SELECT {outputs} FROM {sql}{where}{group}{having}", ["other"] * (len(keys) + len(calls))

    def grouping(self, keys: Sequence[str]) -> str:
        listed = ", ".join(keys)
        forms = [listed, listed, listed, f"ROLLUP ({listed})", f"CUBE ({listed})", f"GROUPING SETS (({listed}), ())"]
        return self.pick(forms)

    # the whole

    def query(self) -> str:
        """A whole statement."""
        form = self.draw(st.integers(0, 9))
        if form == 0:
            return self.set_operation()
        if form == 1:
            sql, _ = self.select(1)
            return f"WITH c AS ({sql}) SELECT COUNT(*) AS n, COUNT(a.x0) AS m FROM c AS a, c AS b"
        sql, kinds = self.select(2)
        if form < 4:
            return f"{sql} ORDER BY ALL"
        if form < 6 and "real" not in kinds and "other" not in kinds:
            return f"{sql} ORDER BY ALL LIMIT {self.draw(st.integers(0, 4))} OFFSET {self.draw(st.integers(0, 2))}"
        return sql

    def set_operation(self) -> str:
        left, mine = self.table()
        right, theirs = self.table()
        pairs = [(a, b) for a, its in mine.columns for b, other in theirs.columns if its == other != "other"]
        if not pairs:
            return self.select(1)[0]
        chosen = self.draw(st.lists(st.sampled_from(pairs), min_size=1, max_size=2))
        word = self.pick(["UNION", "UNION ALL", "INTERSECT", "EXCEPT", "INTERSECT ALL", "EXCEPT ALL"])
        sides = [", ".join(pair[i] for pair in chosen) for i in (0, 1)]
        return f"SELECT {sides[0]} FROM {left} {word} SELECT {sides[1]} FROM {right}"


@st.composite
def queries(draw: st.DrawFn, tables: Sequence[Table]) -> str:
    """A random query over the tables."""
    return Maker(draw, tables).query()
