-- PIVOT and UNPIVOT, series and VALUES as tables.
SELECT * FROM t PIVOT (SUM(d), COUNT(*) AS n FOR e IN ('low', 'high' AS tall) f IN (TRUE, NULL) GROUP BY a);
PIVOT (SELECT a, e, b FROM t) ON e IN ('low', 'Mid') USING MAX(CASE WHEN b > 2 THEN b END) ORDER BY a DESC;
SELECT p.a, p.x + p.y FROM (SELECT a, b, k % 3 AS k FROM t) PIVOT (COUNT(b) FOR k IN (0 AS x, 1 AS y)) AS p;
UNPIVOT (SELECT id, a, b FROM t) ON a, b INTO NAME what VALUE v ORDER BY ALL;
SELECT what, COUNT(*), SUM(v) FROM t UNPIVOT INCLUDE NULLS (v FOR what IN (b AS bee, d)) GROUP BY what;
SELECT s.i, COUNT(t.id), SUM(t.a) FROM generate_series(-3, 9, 3) AS s(i) LEFT JOIN t ON t.a >= s.i AND t.a < s.i + 3 GROUP BY s.i;
SELECT CAST(m AS DATE) AS month, (SELECT COUNT(*) FROM t WHERE g >= m AND g < m + INTERVAL 1 MONTH) FROM range(DATE '2020-10-31', DATE '2021-06-01', INTERVAL 1 MONTH) r(m);
SELECT x FROM unnest([1, NULL, 3]) AS u(x) UNION ALL SELECT * FROM range(2) UNION ALL SELECT * FROM generate_series(3, 1);
SELECT COUNT(*) FROM t WHERE a IN (SELECT UNNEST(range(1, 6, 2)));
VALUES (1, 'a'), (2, NULL);
