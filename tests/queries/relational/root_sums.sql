-- sums of quotients and square roots: outputs, comparisons, choices
SELECT k, AVG(a) + 2 * STDDEV(a), AVG(a) - 1.96 * STDDEV_POP(a) / SQRT(COUNT(a)), 3 - STDDEV(a), -(AVG(a) - STDDEV(a)) / 2 FROM t GROUP BY k;
SELECT k, AVG(a) + STDDEV(a) AS high FROM t GROUP BY k ORDER BY high DESC NULLS LAST, k;
SELECT id FROM t WHERE a > (SELECT AVG(a) + 0.5 * STDDEV(a) FROM t) OR a < (SELECT AVG(a) - STDDEV(a) FROM t);
SELECT k FROM t GROUP BY k HAVING AVG(a) + STDDEV(a) BETWEEN 1 AND 900;
SELECT k, COALESCE(AVG(a) + STDDEV(a), 0), GREATEST(AVG(a) - STDDEV(a), 1), AVG(a) + STDDEV(a) IS NULL FROM t GROUP BY k;
SELECT id, a > AVG(a) OVER w + STDDEV(a) OVER w, ABS(AVG(a) OVER w - STDDEV(a) OVER w) FROM t WINDOW w AS (PARTITION BY k);
SELECT COUNT(*) FROM (SELECT (a - AVG(a) OVER ()) / STDDEV(a) OVER () AS z FROM t) s WHERE ABS(z) > 0.5;
SELECT COUNT(AVG(a) + STDDEV(a)) OVER (), STDDEV(a) * STDDEV(a), STDDEV(a) + STDDEV(a) FROM t;
