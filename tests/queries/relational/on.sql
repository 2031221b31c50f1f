-- Subqueries in ON: each of one side of the join, or of both where it is an inner one.
SELECT t.id, u.uid FROM t LEFT JOIN u ON u.uid = t.k AND EXISTS (SELECT 1 FROM w WHERE w.k = t.k AND w.z > t.a);
SELECT t.id, u.uid FROM t LEFT JOIN u ON u.uid = t.k AND u.x > (SELECT MIN(w.z) FROM w WHERE w.k = t.k) AND u.uid IN (SELECT k FROM w);
SELECT t.id, u.uid FROM t RIGHT JOIN u ON u.uid = t.k AND EXISTS (SELECT 1 FROM w WHERE w.k = u.uid);
SELECT t.id, u.uid FROM t FULL JOIN u ON u.uid = t.k AND t.a IN (SELECT w.z FROM w WHERE w.k = t.k);
SELECT t.id, u.uid FROM t FULL JOIN u ON u.uid = t.k AND (u.x > (SELECT AVG(z) FROM w) OR NOT EXISTS (SELECT 1 FROM w WHERE w.q = t.b));
SELECT t.id, w.z, u.uid FROM t JOIN w ON w.k = t.k AND w.z >= ALL (SELECT x.z FROM w x WHERE x.k = w.k) RIGHT JOIN u ON u.uid = t.k;
SELECT t.id, w.z, u.uid FROM t JOIN w ON w.k = t.k LEFT JOIN u ON u.uid = t.k AND w.z < (SELECT SUM(y.z) FROM w y WHERE y.k = w.k AND y.q <> t.b) WHERE t.a > 0;
SELECT t.id, w.z FROM t LEFT JOIN w ON w.z < (SELECT u.x FROM u WHERE u.uid = t.k) AND w.q > t.b;
SELECT t.id, w.z FROM t JOIN w ON w.k = t.k AND EXISTS (SELECT 1 FROM u WHERE u.x > t.a AND u.uid = w.k);
