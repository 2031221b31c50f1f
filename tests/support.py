# ruff: noqa: E501
"""The support table of docs/sql.md: every construct with an example, tried out.

python -m tests.support        writes the table anew
"""

from __future__ import annotations

from pathlib import Path

from smpc_sql.catalog import Catalog, Fragment
from smpc_sql.engine.prepare import prepare, prepare_size
from smpc_sql.errors import QueryError, SizeUnknown, Unsupported
from smpc_sql.sql.parse import parse_statements
from smpc_sql.sql.statements import CreateTable

PAGE = Path(__file__).parents[1] / "docs" / "sql.md"
START, END = "<!-- support table: python -m tests.support -->", "<!-- end of the table -->"

SCHEMA = """
CREATE TABLE visits (
    id INTEGER NOT NULL PRIMARY KEY CHECK (id BETWEEN 1 AND 1000000),
    patient INTEGER NOT NULL CHECK (patient BETWEEN 1 AND 1000000),
    day DATE NOT NULL CHECK (day BETWEEN DATE '2015-01-01' AND DATE '2024-12-31'),
    ward ENUM('ICU', 'surgery', 'general') NOT NULL,
    cost DECIMAL(9, 2) CHECK (cost BETWEEN 0 AND 100000),
    urgent BOOLEAN
);
CREATE TABLE patients (
    patient INTEGER NOT NULL PRIMARY KEY CHECK (patient BETWEEN 1 AND 1000000),
    born SMALLINT NOT NULL CHECK (born BETWEEN 1900 AND 2025),
    sex ENUM('F', 'M') NOT NULL,
    code VARCHAR(5),
    name VARCHAR(30),
    height DOUBLE CHECK (height BETWEEN 0 AND 300 AND height = ROUND(height, 1))
);
CREATE TABLE stays (
    came TIMESTAMP NOT NULL CHECK (came BETWEEN '2015-01-01' AND '2025-01-01'),
    went TIMESTAMP CHECK (went BETWEEN '2015-01-01' AND '2025-01-01')
);
CREATE TABLE weights (a DECIMAL(6, 3) NOT NULL, b DECIMAL(6, 3) NOT NULL);
"""

CONSTRUCTS: tuple[tuple[str, str], ...] = (
    ("arithmetic `+ - *`", "SELECT cost * 2 - id FROM visits"),
    ("quotients, delivered exactly", "SELECT SUM(cost) / COUNT(*) FROM visits"),
    ("`//` and `%`", "SELECT born // 10, born % 10, id // patient FROM patients JOIN visits USING (patient)"),
    ("ROUND, FLOOR, CEIL of decimals", "SELECT FLOOR(cost), ROUND(cost, 1) FROM visits"),
    ("ABS, SIGN, GREATEST, LEAST", "SELECT ABS(cost - 5), GREATEST(id, patient) FROM visits"),
    ("comparisons, BETWEEN, IN (list)", "SELECT id FROM visits WHERE cost BETWEEN 1 AND 9.5 AND id IN (1, 2, 3)"),
    ("AND, OR, NOT in three-valued logic", "SELECT id FROM visits WHERE NOT (urgent OR cost > 5)"),
    ("IS [NOT] NULL, IS [NOT] DISTINCT FROM", "SELECT id FROM visits WHERE cost IS NULL OR cost IS DISTINCT FROM 5"),
    ("CASE, COALESCE, NULLIF, IF", "SELECT CASE WHEN cost > 5 THEN 'high' ELSE 'low' END, COALESCE(cost, 0) FROM visits"),
    ("LIKE, ILIKE, ESCAPE, CONTAINS, STARTS_WITH with constants", "SELECT id FROM visits, patients p WHERE visits.patient = p.patient AND ward LIKE '%ur%' AND p.name NOT LIKE 'M%s_n'"),
    ("CAST among numbers, BOOLEAN, DATE, TIMESTAMP and text constants", "SELECT CAST(id AS BIGINT), cost::DECIMAL(12, 4), CAST(cost AS INTEGER), CAST(urgent AS DOUBLE) FROM visits"),
    ("date literals, date - date, date + days", "SELECT day - DATE '2020-01-01', day + 7 FROM visits"),
    ("EXTRACT, DATE_TRUNC", "SELECT EXTRACT(YEAR FROM day) FROM visits"),
    ("TIMESTAMP: literals, comparison, EXTRACT, DATE_TRUNC, DATE_DIFF, INTERVAL, CAST", "SELECT DATE_TRUNC('hour', came), HOUR(came), DATE_DIFF('minute', came, went), CAST(came AS DATE) FROM stays WHERE came + INTERVAL '8' HOUR < '2024-01-01 12:00:00'"),
    ("EPOCH of TIMESTAMP - TIMESTAMP", "SELECT AVG(EXTRACT(EPOCH FROM went - came)) FROM stays"),
    ("EXTRACT of INTERVALs", "SELECT EXTRACT(DAY FROM went - came), DATE_PART('hour', went - came), EXTRACT(DAY FROM MAX(went - came)) FROM stays GROUP BY ALL"),
    ("AGE, and parts of it", "SELECT EXTRACT(YEAR FROM AGE(came, DATE '1950-06-01')), AGE(came, '2014-12-31') FROM stays WHERE AGE(went, came) < INTERVAL 2 MONTH"),
    ("AVG, MEDIAN of INTERVALs; INTERVALs times and over numbers; as text", "SELECT AVG(went - came), MEDIAN(went - came) * 1.5, MAX(went - came) / 2, CAST(MIN(went - came) AS VARCHAR) FROM stays"),
    ("INTERVAL between TIMESTAMPs: as output, key, in comparisons, MIN, MAX, * n", "SELECT went - came AS stay, COUNT(*) FROM stays WHERE went - came > INTERVAL '2' DAY * 3 GROUP BY stay ORDER BY stay"),
    ("MONTHNAME, DAYNAME, MAKE_DATE, LAST_DAY; whole powers", "SELECT MONTHNAME(day), DAYNAME(day), MAKE_DATE(2024, id, 1), LAST_DAY(day), id ** 2 FROM visits"),
    ("date + INTERVAL", "SELECT day + INTERVAL '7' DAY FROM visits"),
    ("secret text of any declared length", "SELECT name, COUNT(DISTINCT code) FROM patients WHERE code <> 'I21' AND name < 'M' GROUP BY name"),
    ("LEFT, RIGHT, SUBSTRING of constant places, `||`, CONCAT", "SELECT LEFT(name, 3) || '. ' || code, SUBSTRING(name, -4, 2) FROM patients"),
    ("LOWER, UPPER, TRIM of a character, LENGTH, CAST to VARCHAR", "SELECT UPPER(TRIM(name)), LENGTH(name), CAST(sex AS VARCHAR) FROM patients"),
    ("TRY_CAST; CAST of labels that are numbers or dates", "SELECT TRY_CAST(id AS TINYINT), CAST(IF(urgent, '1.5', '2') AS DECIMAL(3, 1)) FROM visits"),
    ("CAST, TRY_CAST of secret text to numbers, BOOLEAN, DATE, TIMESTAMP", "SELECT CAST(name AS INTEGER), CAST(code AS DECIMAL(5, 2)), TRY_CAST(name AS DATE), CAST(name AS TIMESTAMP), CAST(name AS DOUBLE) + 1 FROM patients"),
    ("numbers, BOOLEAN, DATE and TIMESTAMP as text", "SELECT CAST(cost AS VARCHAR), id || ' of ' || day, CONCAT(urgent, '/', patient) FROM visits"),
    ("CAST, TRY_CAST to HUGEINT, ENUM, TIMESTAMP_S, TIMESTAMP_MS", "SELECT CAST(cost AS HUGEINT), TRY_CAST(name AS ENUM('a', 'b')), CAST(day AS TIMESTAMP_S) FROM visits JOIN patients USING (patient)"),
    ("STRFTIME", "SELECT strftime(day, '%Y-%m') AS month, COUNT(*), MAX(strftime(day, '%a %-d %B %y, %H:%M')) FROM visits GROUP BY month"),
    ("STRPTIME, TRY_STRPTIME of numbers", "SELECT strptime(name, '%d.%m.%Y'), try_strptime(code, '%y%m%d') FROM patients"),
    ("STRPTIME of names of months, of fractions", "SELECT strptime(name, '%d %b %Y') FROM patients"),
    ("CAST to TIME, TIMESTAMPTZ, INTERVAL, unsigned integers", "SELECT CAST(came AS TIME) FROM stays"),
    ("DOUBLEs as text: any as outputs; of fixed precision everywhere", "SELECT CAST(AVG(cost) AS VARCHAR), MAX(CAST(height AS VARCHAR)) FROM visits JOIN patients USING (patient)"),
    ("text of a quotient that is rounded first, everywhere", "SELECT CAST(ROUND(cost / id, 2) AS VARCHAR) AS q, COUNT(*), MAX(CAST(cost / id AS DECIMAL(9, 2)) || '%') FROM visits GROUP BY q"),
    ("text of a quotient within a query", "SELECT COUNT(*) FROM visits GROUP BY CAST(cost / id AS VARCHAR)"),
    ("REPLACE, TRANSLATE, SPLIT_PART, POSITION, LPAD, RPAD, REPEAT, REVERSE, OVERLAY, ASCII, UNICODE with constants", "SELECT REPLACE(name, 'St.', 'Saint'), SPLIT_PART(name, ' ', -1), POSITION('-' IN code), LPAD(code, 9, '.'), TRANSLATE(name, 'ij', 'y') FROM patients"),
    ("CONCAT_WS", "SELECT CONCAT_WS(', ', name, code, sex) FROM patients"),
    ("CHR, LEVENSHTEIN, HAMMING, MD5, SHA256, HEX of constants, dictionaries and small numbers", "SELECT LEVENSHTEIN(ward, 'urgency'), MD5(ward), CHR(65 + id % 26) FROM visits"),
    ("REGEXP_MATCHES, `~`, SIMILAR TO, REGEXP_EXTRACT, REGEXP_REPLACE of constants and dictionaries", "SELECT REGEXP_EXTRACT(ward, '[a-z]+'), REGEXP_REPLACE(ward, '[aeiou]', '', 'g') FROM visits WHERE ward ~ '^[A-Z]' OR ward SIMILAR TO '(s|g).*'"),
    ("a function of two secret texts other than `||`, comparisons", "SELECT REPLACE(name, code, '') FROM patients"),
    ("REGEXP_MATCHES, `~`, REGEXP_FULL_MATCH, SIMILAR TO of secret text", "SELECT name SIMILAR TO '[A-Z]\\w+', COUNT(*) FROM patients WHERE code ~ '^[A-E]\\d{2}' OR name ~ '(Smith|Miller)$' GROUP BY ALL"),
    ("REGEXP_EXTRACT, REGEXP_REPLACE of secret text", "SELECT REGEXP_EXTRACT(name, '[0-9]+') FROM patients"),
    ("DOUBLE and REAL columns: arithmetic, aggregates, groups, order, joins", "SELECT height / 100, COUNT(*), AVG(height) FROM patients GROUP BY height ORDER BY height"),
    ("COUNT(*), COUNT, SUM, AVG, MIN, MAX", "SELECT COUNT(*), COUNT(cost), SUM(cost), AVG(cost), MIN(cost), MAX(day) FROM visits"),
    ("VAR and STDDEV, POP and SAMP", "SELECT VAR_POP(cost), STDDEV_SAMP(cost) FROM visits"),
    ("sums with a square root: as outputs, in CASE, in comparisons with what has none", "SELECT ward, AVG(cost) + 1.96 * STDDEV(cost) / SQRT(COUNT(cost)) AS high FROM visits GROUP BY ward HAVING AVG(cost) + 2 * STDDEV(cost) > 100 ORDER BY high"),
    ("outliers", "SELECT id FROM visits WHERE cost > (SELECT AVG(cost) + 3 * STDDEV(cost) FROM visits)"),
    ("sums of two square roots", "SELECT STDDEV(cost) + SQRT(AVG(cost)) FROM visits"),
    ("sums, products and statistics beyond 64 bits", "SELECT sex, STDDEV(patient * 1000000000), SUM(height * patient * 1000000000) FROM patients GROUP BY sex HAVING VAR_POP(patient * 1000000000) > 1"),
    ("BOOL_AND, BOOL_OR", "SELECT BOOL_AND(urgent) FROM visits"),
    ("FILTER (WHERE …)", "SELECT COUNT(*) FILTER (WHERE urgent) FROM visits"),
    ("COUNT(DISTINCT (x, y))", "SELECT ward, COUNT(DISTINCT (patient, day)) FROM visits GROUP BY ward"),
    ("COUNT, SUM, AVG (DISTINCT x)", "SELECT COUNT(DISTINCT patient) FROM visits"),
    ("CORR, COVAR, REGR", "SELECT CORR(born, patient), REGR_SLOPE(born, patient) FROM patients"),
    ("SUM, AVG, VAR, CORR, MEDIAN of quotients by what is not constant", "SELECT SUM(cost / id), STDDEV(cost / id), CORR(cost / id, id) FROM visits"),
    (
        "the same of numbers beyond 64 bits: shares, χ², log-rank, pooled effects",
        "WITH t AS (SELECT SUM(cost) / (SELECT SUM(cost) FROM visits) AS share FROM visits GROUP BY patient) SELECT SUM(share * share) FROM t",
    ),
    ("GROUP BY, DISTINCT, COUNT(DISTINCT) of quotients", "SELECT cost / patient AS share, COUNT(DISTINCT id / patient) FROM visits GROUP BY share"),
    ("MEDIAN, QUANTILE", "SELECT ward, MEDIAN(cost), MEDIAN(day), QUANTILE_CONT(cost, 0.9), QUANTILE_DISC(day, 0.5) FROM visits GROUP BY ward"),
    ("PERCENTILE_CONT, PERCENTILE_DISC WITHIN GROUP", "SELECT PERCENTILE_CONT(0.25) WITHIN GROUP (ORDER BY cost DESC) FROM visits"),
    ("MODE, ARG_MIN, ARG_MAX, ANY_VALUE", "SELECT MODE(ward), ARG_MAX(id, cost), ANY_VALUE(day) FROM visits"),
    ("FIRST, LIST, STRING_AGG, PRODUCT", "SELECT FIRST(cost) FROM visits"),
    ("GROUP BY keys of a small public domain", "SELECT ward, urgent, COUNT(*) FROM visits GROUP BY ward, urgent"),
    ("GROUP BY keys of any domain", "SELECT patient, SUM(cost) FROM visits GROUP BY patient"),
    ("GROUP BY expressions, aliases, ALL", "SELECT cost > 5 AS high, COUNT(*) FROM visits GROUP BY ALL"),
    ("ROLLUP, CUBE, GROUPING SETS", "SELECT ward, urgent, COUNT(*), GROUPING(urgent) FROM visits GROUP BY ROLLUP (ward), CUBE (urgent)"),
    ("HAVING", "SELECT ward FROM visits GROUP BY ward HAVING AVG(cost) > 100"),
    ("the public pseudo-column `owner`", "SELECT owner, COUNT(*) FROM visits WHERE owner <> 'north' GROUP BY owner"),
    ("DISTINCT", "SELECT DISTINCT ward FROM visits"),
    ("DISTINCT ON", "SELECT DISTINCT ON (patient) patient, day, cost FROM visits ORDER BY day DESC, id"),
    ("ORDER BY, NULLS FIRST/LAST", "SELECT cost FROM visits ORDER BY cost DESC NULLS LAST"),
    ("LIMIT, OFFSET, decided under MPC", "SELECT id FROM visits ORDER BY cost LIMIT 3 OFFSET 1"),
    ("subqueries in FROM, CTEs", "WITH t AS (SELECT ward, COUNT(*) AS n FROM visits GROUP BY ward) SELECT MAX(n) FROM t"),
    ("CROSS JOIN with one row (weighted scores)", "SELECT AVG(w.a * v.cost + w.b) FROM visits v CROSS JOIN weights w"),
    ("INNER JOIN on a unique key", "SELECT p.sex, SUM(v.cost) FROM visits v JOIN patients p ON v.patient = p.patient GROUP BY p.sex"),
    ("LEFT, RIGHT JOIN on a unique key", "SELECT v.id, p.born FROM visits v LEFT JOIN patients p USING (patient)"),
    ("FULL JOIN on a unique key", "SELECT v.id, p.born FROM visits v FULL JOIN patients p ON v.patient = p.patient"),
    ("LEFT, RIGHT, FULL JOIN on any conditions, of few pairs", "SELECT w.a, v.id FROM weights w FULL JOIN visits v ON w.a < v.cost"),
    ("NATURAL JOIN, USING", "SELECT id, born FROM visits NATURAL LEFT JOIN (SELECT patient, born FROM patients)"),
    ("joins unique on neither side, of at most n pairs", "SELECT /*+ JOIN_ROWS(20000) */ a.id, b.id FROM visits a JOIN visits b ON a.patient = b.patient AND a.day < b.day"),
    ("the same, with room for as many pairs as there are, a number that is opened", "SELECT /*+ JOIN_SIZE(POWER_OF_TWO) */ a.id, b.id FROM visits a JOIN visits b ON a.patient = b.patient AND a.day < b.day"),
    ("groups over such joins, by one side", "SELECT a.ward, COUNT(*), SUM(b.cost) FROM visits a JOIN visits b ON a.patient = b.patient GROUP BY a.ward"),
    ("rows of one side of such joins, each once, under a comparison with the other", "SELECT COUNT(DISTINCT a.patient) FROM visits a JOIN visits b ON a.patient = b.patient AND a.day <= b.day WHERE a.ward = 'ICU'"),
    ("such joins without a bound", "SELECT a.id, b.id FROM visits a JOIN visits b ON a.patient = b.patient"),
    ("IN, NOT IN (subquery)", "SELECT COUNT(*) FROM visits WHERE patient IN (SELECT patient FROM patients WHERE born < 1950)"),
    ("EXISTS, correlated", "SELECT COUNT(*) FROM patients p WHERE EXISTS (SELECT 1 FROM visits v WHERE v.patient = p.patient)"),
    ("scalar subqueries", "SELECT COUNT(*) FROM visits WHERE cost > (SELECT AVG(cost) FROM visits)"),
    ("subqueries correlated by any conditions, and through several levels", "SELECT p.patient, (SELECT COUNT(*) FROM visits v WHERE v.patient = p.patient AND v.cost > p.born AND EXISTS (SELECT 1 FROM weights w WHERE w.a < p.born + v.id)) FROM patients p"),
    ("correlated subqueries with GROUP BY, HAVING, windows, LIMIT, set operations", "SELECT p.patient, (SELECT v.cost FROM visits v WHERE v.patient = p.patient ORDER BY v.day DESC, v.id LIMIT 1) FROM patients p"),
    ("LATERAL", "SELECT p.patient, s.cost FROM patients p LEFT JOIN LATERAL (SELECT v.cost FROM visits v WHERE v.patient = p.patient ORDER BY v.day DESC LIMIT 3) s ON TRUE"),
    ("ASOF JOIN, ASOF LEFT JOIN", "SELECT v.id, w.cost FROM visits v ASOF LEFT JOIN visits w ON v.patient = w.patient AND v.day > w.day"),
    ("SEMI JOIN, ANTI JOIN", "SELECT patient FROM patients ANTI JOIN visits USING (patient)"),
    ("row values, and IN, NOT IN of several values (subquery)", "SELECT id FROM visits WHERE (patient, cost) NOT IN (SELECT patient, born FROM patients) AND (id, day) < (500, DATE '2024-01-01')"),
    ("UNION ALL", "SELECT id FROM visits UNION ALL SELECT patient FROM patients"),
    ("ANY, ALL (subquery)", "SELECT id FROM visits WHERE cost > ALL (SELECT cost FROM visits WHERE urgent)"),
    ("subqueries in ON, GROUP BY, CASE, ORDER BY, aggregates", "SELECT SUM(CASE WHEN patient IN (SELECT patient FROM patients) THEN cost ELSE 0 END) FROM visits"),
    ("INTERSECT ALL, EXCEPT ALL", "SELECT patient FROM visits EXCEPT ALL SELECT patient FROM patients"),
    ("UNION, INTERSECT, EXCEPT", "SELECT patient FROM visits EXCEPT SELECT patient FROM patients"),
    ("VALUES", "SELECT * FROM (VALUES (1), (2)) AS t(a)"),
    ("generate_series, range, UNNEST of constants", "SELECT m, COUNT(v.id) FROM generate_series(1, 12) AS s(m) LEFT JOIN visits v ON MONTH(v.day) = m GROUP BY m"),
    ("PIVOT with the values named, UNPIVOT", "SELECT * FROM (SELECT patient, ward, cost FROM visits) PIVOT (SUM(cost) FOR ward IN ('ICU', 'surgery'))"),
    ("windows: ROW_NUMBER, RANK, LAG, …", "SELECT id, ROW_NUMBER() OVER (PARTITION BY ward ORDER BY cost, id) FROM visits"),
    ("windows: any aggregate of a partition", "SELECT id, SUM(cost) OVER (PARTITION BY ward), MEDIAN(cost) OVER (PARTITION BY ward) FROM visits"),
    ("windows: sums, AVG, VAR, MIN, MAX of frames", "SELECT id, AVG(cost) OVER w, MAX(cost) OVER w FROM visits WINDOW w AS (PARTITION BY ward ORDER BY id ROWS BETWEEN 3 PRECEDING AND 1 FOLLOWING)"),
    ("windows: FIRST_, LAST_, NTH_VALUE of frames", "SELECT id, NTH_VALUE(cost, 2) OVER (ORDER BY id ROWS BETWEEN CURRENT ROW AND 9 FOLLOWING) FROM visits"),
    ("windows: NTILE, PERCENT_RANK, CUME_DIST", "SELECT id, NTILE(4) OVER (ORDER BY id), PERCENT_RANK() OVER (ORDER BY cost) FROM visits"),
    ("windows: sums, COUNT, AVG, VAR of frames of RANGE with a distance", "SELECT id, AVG(cost) OVER (PARTITION BY ward ORDER BY day RANGE BETWEEN INTERVAL 6 DAYS PRECEDING AND CURRENT ROW) FROM visits"),
    ("windows: MIN, MAX and values of such frames", "SELECT MAX(cost) OVER (ORDER BY id RANGE 3 PRECEDING) FROM visits"),
    ("windows: GROUPS with a distance", "SELECT SUM(cost) OVER (ORDER BY id GROUPS 3 PRECEDING) FROM visits"),
)  # fmt: skip


def catalog() -> Catalog:
    """The tables of the examples, with rows of two owners."""
    known = Catalog()
    for statement in parse_statements(SCHEMA):
        assert isinstance(statement, CreateTable)
        known = known.with_table(statement.schema, statement.ddl)
    known = known.with_fragment("visits", Fragment("v1", "north", 5000)).with_fragment(
        "visits", Fragment("v2", "south", 900)
    )
    return known.with_fragment("patients", Fragment("p", "north", 4000)).with_fragment(
        "weights", Fragment("w", "lab", 1)
    )


def support(sql: str, known: Catalog) -> str:
    """ "yes", or what the refusal says."""
    try:
        prepare(sql, known)
    except SizeUnknown:
        prepare_size(sql, known)
    except Unsupported as refusal:
        return f"no: {refusal.message}"
    except QueryError as error:
        raise AssertionError(f"the example is wrong: {sql}: {error}") from error
    return "yes"


def table() -> str:
    """The table as Markdown."""
    known = catalog()
    lines = ["| construct | example | supported |", "|---|---|---|"]
    for construct, sql in CONSTRUCTS:
        cells = (construct, f"`{sql}`", support(sql, known))
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines)


def page_with(text: str) -> str:
    """The page with this table in place of its own."""
    page = PAGE.read_text(encoding="utf-8")
    before, _, rest = page.partition(START)
    return f"{before}{START}\n{text}\n{END}{rest.partition(END)[2]}"


if __name__ == "__main__":
    PAGE.write_text(page_with(table()), encoding="utf-8")
