-- ANY, ALL; subqueries in ON, GROUP BY, CASE, ORDER BY and under aggregates.
SELECT id FROM t WHERE a > ALL (SELECT z FROM w WHERE w.k = t.k);
SELECT id, a = ANY (SELECT z FROM w), a <> ALL (SELECT z FROM w), a >= SOME (SELECT z FROM w WHERE z > 3), b < ALL (SELECT x FROM u), b < ANY (SELECT x FROM u), a <= ALL (SELECT x FROM none) FROM t;
SELECT id, b <> ANY (SELECT x FROM u), b = ALL (SELECT x FROM u), b = ALL (SELECT x FROM none), b > ANY (SELECT q FROM w WHERE w.k = t.k) FROM t;
SELECT id FROM t WHERE f = ANY (SELECT x > 5 FROM u) AND d < ANY (SELECT y FROM u);
SELECT t.id, u.x FROM t LEFT JOIN u ON t.k = u.uid AND u.x > (SELECT MIN(x) FROM u);
SELECT t.id, u.x FROM t JOIN u ON t.k = u.uid AND t.a IN (SELECT z FROM w) LEFT JOIN v ON v.p = t.a AND v.r = 0 AND v.s IN (SELECT s FROM v WHERE r = 0);
SELECT COUNT(*), k IN (SELECT k FROM w) FROM t GROUP BY k IN (SELECT k FROM w);
SELECT k IN (SELECT uid FROM u) AS m, e, SUM(a) FROM t GROUP BY m, e;
SELECT a > (SELECT AVG(a) FROM t) AS g, COUNT(*) FROM t GROUP BY ALL;
SELECT (SELECT x FROM u WHERE u.uid = t.k) AS g, COUNT(*) FROM t GROUP BY 1 HAVING COUNT(*) > 1 ORDER BY g;
SELECT id, CASE WHEN k IN (SELECT uid FROM u) THEN (SELECT MAX(x) FROM u) ELSE (SELECT COUNT(*) FROM w WHERE w.k = t.k) END FROM t;
SELECT id FROM t ORDER BY (SELECT x FROM u WHERE u.uid = t.k) DESC NULLS LAST, id;
SELECT SUM(CASE WHEN k IN (SELECT uid FROM u) THEN a ELSE 0 END), COUNT(*) FILTER (WHERE EXISTS (SELECT 1 FROM w WHERE w.k = t.k)) FROM t;
SELECT e, SUM(a - (SELECT MIN(z) FROM w)), MAX((SELECT x FROM u WHERE u.uid = t.k)), (SELECT MAX(x) FROM u WHERE u.e = t.e) FROM t GROUP BY e;
SELECT id, EXISTS (SELECT 1 FROM w WHERE w.k = t.k), NOT EXISTS (SELECT 1 FROM w WHERE w.k = t.k AND w.z > t.a) FROM t;
