-- SEMI and ANTI JOIN; IN, ANY and ALL of quotients by constants.
SELECT t.id FROM t SEMI JOIN w ON w.k = t.k AND w.z > 3;
SELECT t.id FROM t ANTI JOIN w USING (k) WHERE t.a > 0;
SELECT t.id, u.x FROM t ANTI JOIN w ON w.k = t.k AND w.z > t.a JOIN u ON u.uid = t.k;
WITH c AS (SELECT k FROM w WHERE z > 3) SELECT e, COUNT(*) FROM t SEMI JOIN c USING (k) GROUP BY e;
SELECT id, y > ALL (SELECT x / 2 FROM u), y IN (SELECT x / 2 FROM u), y NOT IN (SELECT x FROM u), x <= ANY (SELECT y / 2 FROM u) FROM (SELECT uid AS id, y / 2 AS y, x FROM u);
SELECT id, a > ALL (SELECT z / 4 FROM w WHERE w.k = t.k) FROM t;
SELECT id FROM t x WHERE EXISTS (SELECT 1 FROM t WHERE t.b + x.b > 35) OR EXISTS (SELECT 1 FROM t WHERE t.k = x.k AND x.g - t.g BETWEEN 1 AND 200);
