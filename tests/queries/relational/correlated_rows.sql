-- Correlated subqueries whose rows are grouped, ordered, cut or joined by a set operation.
SELECT t.id, (SELECT w.z FROM w WHERE w.k = t.k ORDER BY w.z DESC LIMIT 1), (SELECT w.z FROM w WHERE w.k = t.k ORDER BY w.z LIMIT 1 OFFSET 1) FROM t;
SELECT t.id, (SELECT w.z + t.a FROM w WHERE w.k < t.k AND w.q <> t.b ORDER BY w.z DESC LIMIT 1) FROM t;
SELECT t.id, (SELECT DISTINCT w.k FROM w WHERE w.k = t.k), (SELECT AVG(w.z) FROM w WHERE w.k = t.k GROUP BY w.k) FROM t;
SELECT t.id, (SELECT w.q FROM w WHERE w.k = t.k GROUP BY w.q ORDER BY COUNT(*) DESC, w.q LIMIT 1) FROM t;
SELECT t.id, (SELECT COUNT(*) FROM w WHERE w.k = t.k HAVING COUNT(*) <> 1), (SELECT COUNT(*) FROM w WHERE w.k < t.k HAVING SUM(w.z) > t.a OR COUNT(*) = 0) FROM t;
SELECT t.id FROM t WHERE EXISTS (SELECT COUNT(*) FROM w WHERE w.k = t.k HAVING COUNT(*) <> 1) AND EXISTS (SELECT w.q FROM w WHERE w.k = t.k GROUP BY w.q HAVING SUM(w.z) > t.a);
SELECT t.id, EXISTS (SELECT w.q FROM w WHERE w.k = t.k LIMIT 1 OFFSET 1), EXISTS (SELECT w.q FROM w WHERE w.k = t.k ORDER BY w.q LIMIT 1), EXISTS (SELECT COUNT(*) FROM w WHERE w.k = t.k) FROM t;
SELECT t.id FROM t WHERE t.a NOT IN (SELECT w.z FROM w WHERE w.k = t.k ORDER BY w.z DESC, w.q LIMIT 2);
SELECT t.id, t.a NOT IN (SELECT MAX(w.z) FROM w WHERE w.k = t.k), t.a > ALL (SELECT SUM(w.z) FROM w WHERE w.k = t.k GROUP BY w.q) FROM t;
SELECT t.id, EXISTS (SELECT 1 FROM w WHERE w.k = t.k UNION ALL SELECT 1 FROM u WHERE u.uid = t.k), t.a IN (SELECT w.z FROM w WHERE w.k = t.k INTERSECT SELECT u.x FROM u WHERE u.x <= t.a) FROM t;
SELECT t.id, (SELECT w.z FROM w WHERE w.k = t.k UNION ALL SELECT t.a ORDER BY 1 LIMIT 1) FROM t;
SELECT t.id, (SELECT ROW_NUMBER() OVER (ORDER BY w.z) FROM w WHERE w.k = t.k ORDER BY 1 DESC LIMIT 1), (SELECT w.z FROM w WHERE w.k = t.k QUALIFY ROW_NUMBER() OVER (ORDER BY w.z DESC) = 1) FROM t;
SELECT t.id, (SELECT SUM(w.z) + (SELECT MAX(u.x) FROM u WHERE u.uid = t.k) FROM w WHERE w.k = t.k), (SELECT u.y / u.x FROM u WHERE u.uid = t.k) FROM t;
SELECT k, (SELECT w.z FROM w WHERE w.k = t.k ORDER BY w.z LIMIT 1), COUNT(*) FROM t GROUP BY k HAVING COUNT(*) < (SELECT w.z + 5 FROM w WHERE w.k = t.k ORDER BY w.z LIMIT 1);
