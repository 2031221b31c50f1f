-- Subqueries of FROM that read the tables before them, or the query around.
SELECT t.id, s.z FROM t, LATERAL (SELECT w.z FROM w WHERE w.k = t.k ORDER BY w.z DESC LIMIT 2) s;
SELECT t.id, s.z FROM t LEFT JOIN LATERAL (SELECT w.z FROM w WHERE w.k = t.k ORDER BY w.z DESC LIMIT 2) s ON s.z > 3;
SELECT t.id, s.n, s.m FROM t, LATERAL (SELECT COUNT(*) AS n, MAX(w.z) AS m FROM w WHERE w.k = t.k) s;
SELECT t.id, s.n, s.m FROM t LEFT JOIN LATERAL (SELECT COUNT(*) AS n, AVG(w.z) AS m FROM w WHERE w.k = t.k) s ON n > 1;
SELECT t.id, s.n FROM t JOIN LATERAL (SELECT COUNT(*) AS n FROM w WHERE w.k = t.k HAVING COUNT(*) <> 1) s ON TRUE;
SELECT t.id, s.n, r.m FROM t, LATERAL (SELECT t.a + t.b AS n) s LEFT JOIN LATERAL (SELECT s.n * 2 AS m) r ON r.m > 5;
SELECT t.id, v.l, v.x FROM t CROSS JOIN LATERAL (VALUES (1, t.a), (2, t.b)) v(l, x) WHERE v.x IS NOT NULL;
SELECT v.l, SUM(v.x), COUNT(*) FROM t, LATERAL (SELECT 'a' AS l, t.a AS x UNION ALL SELECT 'b', t.b) v GROUP BY v.l;
SELECT t.id, s.z FROM t LEFT JOIN LATERAL (SELECT w.z + t.a AS z FROM w WHERE w.k <= t.k ORDER BY w.z DESC LIMIT 2) s ON TRUE;
SELECT t.id, u.uid, s.n FROM t, u, LATERAL (SELECT COUNT(*) AS n FROM w WHERE w.z < u.x AND w.k = t.k) s WHERE u.uid = t.k AND t.a > 0;
SELECT t.k, SUM(s.z) FROM t, (SELECT w.z FROM w WHERE w.k = t.k ORDER BY w.z DESC LIMIT 2) s GROUP BY t.k;
SELECT t.id, s.g, s.n FROM t, LATERAL (SELECT w.q AS g, COUNT(*) AS n FROM w WHERE w.k = t.k GROUP BY w.q) s;
SELECT t.id, (SELECT AVG(z) FROM (SELECT w.z FROM w WHERE w.k = t.k ORDER BY w.z DESC LIMIT 2) s), (SELECT MAX(x) FROM (VALUES (t.a), (t.b)) v(x)) FROM t;
SELECT t.id, (WITH c AS (SELECT w.z FROM w WHERE w.k = t.k) SELECT COUNT(*) FROM c x, c y WHERE x.z = y.z), (SELECT SUM(n) FROM (SELECT COUNT(*) AS n FROM w WHERE w.k = t.k) s) FROM t;
SELECT t.id, (SELECT COUNT(*) FROM u LEFT JOIN (SELECT w.z FROM w WHERE w.k = t.k) s ON s.z = u.x) FROM t;
SELECT t.id, s.z, r.x FROM t LEFT JOIN LATERAL (SELECT w.z FROM w WHERE w.k = t.k ORDER BY w.z LIMIT 1) s ON TRUE LEFT JOIN LATERAL (SELECT u.x FROM u WHERE u.x > s.z ORDER BY u.x LIMIT 1) r ON TRUE;
SELECT s.uid, (SELECT COUNT(*) FROM w WHERE w.z > s.p), (SELECT COUNT(*) FROM w WHERE w.z > s.r) FROM (SELECT uid, PERCENT_RANK() OVER (ORDER BY x) AS p, x / y AS r FROM u) s;
