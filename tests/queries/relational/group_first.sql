-- groups by the key of what is joined: the rows are grouped before they look it up
SELECT u.uid, COUNT(*), SUM(t.a) FROM t JOIN u ON t.k = u.uid GROUP BY u.uid;
SELECT t.k, u.x, u.e, COUNT(*), MIN(t.d), MAX(t.b) FROM t JOIN u ON t.k = u.uid GROUP BY t.k, u.x, u.e;
SELECT u.uid, u.y, SUM(w.z), COUNT(w.q), SUM(w.q) FROM w JOIN u ON w.k = u.uid GROUP BY u.uid, u.y;
SELECT u.y, SUM(w.z) FROM w JOIN u ON w.k = u.uid GROUP BY u.uid, u.y;
SELECT u.uid, u.x + 1, COUNT(*) FILTER (WHERE w.z > 3) FROM w JOIN u ON w.k = u.uid GROUP BY u.uid, u.x HAVING COUNT(*) > 1;
SELECT u.uid, u.x, COUNT(DISTINCT w.z) FROM w JOIN u ON w.k = u.uid WHERE u.x > 0 GROUP BY u.uid, u.x;
SELECT u.uid, SUM(w.z + u.x) FROM w JOIN u ON w.k = u.uid GROUP BY u.uid;
SELECT w.k, u.x, SUM(w.z) FROM w LEFT JOIN u ON w.k = u.uid GROUP BY w.k, u.x;
SELECT w.k, u.x, SUM(w.z) FROM w LEFT JOIN u ON w.k = u.uid WHERE u.x IS NULL GROUP BY w.k, u.x;
-- through what keys a table further away
SELECT u.uid, u.e, t.id, COUNT(*), SUM(t.a) FROM t JOIN u ON t.k = u.uid GROUP BY u.uid, u.e, t.id;
SELECT a.k, u.x, COUNT(*) FROM t a JOIN u ON a.k = u.uid JOIN t b ON b.id = a.id GROUP BY a.k, u.x;
SELECT u.uid, u.x, COUNT(*) FROM t a, t b, u WHERE a.id = b.id AND b.k = u.uid GROUP BY u.uid, u.x;
SELECT u.uid, u.y, SUM(t.a) FROM t, u WHERE t.k = u.uid AND u.uid IN (SELECT k FROM w GROUP BY k HAVING SUM(z) > 5) GROUP BY u.uid, u.y;
SELECT u.uid, u.y, SUM(t.a) FROM t, u WHERE t.k = u.uid AND NOT EXISTS (SELECT 1 FROM w WHERE w.k = u.uid AND w.z > 6) GROUP BY u.uid, u.y;
SELECT u.uid, MAX(u.x), SUM(t.a) FROM t, u WHERE t.k = u.uid AND t.a < u.x GROUP BY u.uid;
-- ordered, and cut
SELECT u.uid, u.x, u.y, SUM(t.a) AS s FROM t JOIN u ON t.k = u.uid GROUP BY u.uid, u.x, u.y ORDER BY s DESC, u.uid LIMIT 2;
-- several keys
SELECT v.p, v.r, v.s, COUNT(*) FROM t JOIN v ON t.b = v.r AND t.a = v.p GROUP BY v.p, v.r, v.s;
SELECT v.p, v.s, COUNT(*) FROM t JOIN v ON t.b = v.r AND t.a = v.p GROUP BY v.p, v.s;
-- of no rows
SELECT u.uid, u.x, COUNT(*) FROM none JOIN u ON none.x = u.uid GROUP BY u.uid, u.x;
SELECT PERCENTILE_CONT(0.25) WITHIN GROUP (ORDER BY 1) FROM (SELECT n.y, COUNT(*) FROM none n, t WHERE t.a < n.x GROUP BY n.y, t.a) s;
