-- The shapes of TPC-H's subqueries over small tables: Q2, Q4, Q11, Q13, Q15, Q16, Q17, Q18, Q20, Q21, Q22.
SELECT t.id, t.a FROM t JOIN u ON t.k = u.uid WHERE t.a = (SELECT MIN(i.a) FROM t i JOIN u j ON i.k = j.uid WHERE i.k = t.k);
SELECT e, COUNT(*) FROM t WHERE g >= DATE '2020-01-01' AND EXISTS (SELECT * FROM w WHERE w.k = t.k AND w.q < w.z) GROUP BY e ORDER BY e;
SELECT k, SUM(a * b) FROM t GROUP BY k HAVING SUM(a * b) > (SELECT SUM(a * b) * 0.1 FROM t) ORDER BY k;
SELECT n, COUNT(*) FROM (SELECT u.uid, COUNT(w.z) AS n FROM u LEFT JOIN w ON u.uid = w.k AND w.q > 0 GROUP BY u.uid) GROUP BY n ORDER BY n;
WITH r AS (SELECT k, SUM(z) AS total FROM w GROUP BY k) SELECT u.uid, r.total FROM u, r WHERE u.uid = r.k AND total = (SELECT MAX(total) FROM r);
SELECT e, COUNT(DISTINCT k) FROM t WHERE a <> 3 AND b NOT IN (SELECT x FROM u WHERE x IS NOT NULL) GROUP BY e;
SELECT SUM(d) / 7.0 FROM t, u WHERE u.uid = t.k AND b < (SELECT 1.1 * AVG(b) FROM t i WHERE i.k = u.uid);
SELECT t.id, SUM(w.z) FROM t, (SELECT k, SUM(z) AS z FROM w GROUP BY k) w WHERE t.k IN (SELECT k FROM w GROUP BY k HAVING SUM(z) > 7) AND t.k = w.k GROUP BY t.id;
SELECT uid FROM u WHERE uid IN (SELECT k FROM w WHERE z IN (SELECT a FROM t) AND z < (SELECT 3.5 * SUM(i.a) FROM t i WHERE i.k = w.k AND i.b > 5)) ORDER BY uid;
SELECT k, z FROM w l1 WHERE EXISTS (SELECT * FROM w l2 WHERE l2.k = l1.k AND l2.z <> l1.z) AND NOT EXISTS (SELECT * FROM w l3 WHERE l3.k = l1.k AND l3.z <> l1.z AND l3.q > l3.z);
SELECT e, COUNT(*), SUM(d) FROM t WHERE d > (SELECT AVG(d) FROM t WHERE d > 0) AND NOT EXISTS (SELECT * FROM w WHERE w.k = t.id) GROUP BY e;
