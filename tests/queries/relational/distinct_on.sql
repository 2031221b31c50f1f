-- DISTINCT ON in total orders, GROUP BY ALL and * over groups, VALUES beside tables.
SELECT DISTINCT ON (e) e, id, a FROM t ORDER BY e, id;
SELECT DISTINCT ON (k) id, k, d FROM t ORDER BY id DESC;
SELECT DISTINCT ON (e, f) e, f, id FROM t ORDER BY a DESC, id LIMIT 4;
SELECT DISTINCT ON (a > 0) id, a FROM t WHERE b IS NOT NULL ORDER BY a, id;
SELECT DISTINCT ON (e) e, AVG(a), k FROM t GROUP BY e, k ORDER BY AVG(a), k;
SELECT DISTINCT ON (e) e, k, COUNT(*) AS n FROM t GROUP BY e, k HAVING COUNT(*) > 1 ORDER BY n DESC, k;
SELECT DISTINCT ON (a / 4) a / 4, id FROM t ORDER BY id;
SELECT COUNT(*), SUM(id) FROM (SELECT DISTINCT ON (k) id FROM t ORDER BY id);
SELECT DISTINCT ON (1) e, id FROM t ORDER BY id;
SELECT * FROM (SELECT k, z, q FROM w) GROUP BY ALL;
SELECT *, COUNT(*) FROM (SELECT k, z, q FROM w) GROUP BY ALL ORDER BY ALL;
SELECT * EXCLUDE (q), COUNT(*), SUM(q) FROM (SELECT k, z, q FROM w) GROUP BY ALL ORDER BY ALL;
SELECT s.*, COUNT(*) FROM (SELECT k, z FROM w) s GROUP BY k, z;
SELECT t.id, n.label FROM t JOIN (VALUES (1, 'one'), (2, 'two'), (NULL, 'none')) AS n(b, label) ON t.a = n.b;
SELECT n.x, COUNT(*), SUM(t.a) FROM t JOIN (VALUES ('low', 3), ('high', 4)) AS n(e, x) ON t.e = n.e GROUP BY n.x;
SELECT id, x FROM t, (VALUES (1), (5)) AS n(x) WHERE a < x AND id < 2000;
SELECT id FROM t WHERE a IN (SELECT x FROM (VALUES (1), (5), (NULL)) AS n(x));
SELECT id, x FROM t LEFT JOIN (SELECT DISTINCT x FROM (VALUES (1), (5)) AS n(x)) ON a = x;
