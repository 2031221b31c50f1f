-- Whole quotients: FLOOR, CEIL, ROUND, TRUNC, //, %, and casts that round.
SELECT id, FLOOR(d), CEIL(d), ROUND(d), TRUNC(d), ROUND(d, 1), ROUND(d, -1), TRUNC(d, 1) FROM t;
SELECT id, ROUND(id, -2), ROUND(a, 1), FLOOR(a), ROUND(0 - id, -3), id // 7, id % 7, (0 - id) // 100, (0 - id) % 100, id // (-9), id % (-9) FROM t;
SELECT id, d % 2, d % 0.7, y % 3 FROM t LEFT JOIN u ON t.k = u.uid;
SELECT id, CAST(d AS INTEGER), CAST(d AS DECIMAL(6,1)), CAST(d AS SMALLINT), CAST(d * d AS INTEGER) FROM t;
SELECT id, FLOOR(id / 90.0), CAST(FLOOR(id / 90.0) AS INTEGER), CEIL(a / 4), ROUND(a / 4), TRUNC(d / 3), ROUND(id / 8, 2), ROUND(id / 8, -1) FROM t;
SELECT id, CAST(id / 2 AS INTEGER), CAST(a / 2 AS INTEGER), CAST(a / (-2) AS INTEGER), CAST(a / 4 AS DECIMAL(8,1)) FROM t;
SELECT CAST(FLOOR(id / 1000.0) AS INTEGER) * 1000 AS bin, COUNT(*), AVG(a) FROM t GROUP BY bin ORDER BY bin;
SELECT ROUND(d) AS r, COUNT(*) FROM t GROUP BY r HAVING COUNT(*) > 0 ORDER BY r;
SELECT ROUND(2.345, 2), FLOOR(-2.5), CEIL(2.1), -7 // 2, 7 % 3, ROUND(SUM(d), 1), ROUND(SUM(a) / 3, 2) FROM t;
SELECT COUNT(*) FROM t WHERE FLOOR(d) = 3 OR id % 2 = 0 OR ROUND(d / 7) > 3;
SELECT id FROM t JOIN u ON t.id // 1000 = u.uid // 2;
SELECT ROUND(AVG(a), 2), FLOOR(AVG(d)), CEIL(AVG(d)), TRUNC(AVG(b), 1), ROUND(SUM(d) / COUNT(*), 1), ROUND(AVG(d), 3) FROM t;
SELECT e, ROUND(AVG(d), 1), ROUND(AVG(b), -1), FLOOR(SUM(a) / COUNT(b)) FROM t GROUP BY e;
SELECT id, FLOOR(a / b), ROUND(d / a, 1), CEIL(id / (a + 6)), ROUND(a / (b - 3), 2) FROM t;
SELECT ROUND(AVG(x), 1), FLOOR(AVG(y)) FROM none;
-- casts of quotients by what is not constant: halves to even for an INTEGER, away from 0 for a DECIMAL
SELECT id, CAST(a / b AS INTEGER), CAST((2 * a + 1) / (b - 3) AS INTEGER), CAST(d / a AS DECIMAL(6,1)), CAST(a / (b - 5) AS DECIMAL(3,0)) FROM t;
SELECT e, CAST(AVG(a) AS INTEGER) AS n, CAST(100.0 * COUNT(b) / COUNT(*) AS DECIMAL(5,2)) AS share FROM t GROUP BY e ORDER BY CAST(AVG(a) AS INTEGER), share, e;
-- square roots: whole ones of whole quotients
SELECT e, ROUND(STDDEV(b), 2), CAST(STDDEV_POP(b) AS DECIMAL(6,1)), CAST(STDDEV_POP(a) AS INTEGER), CEIL(STDDEV(d)), FLOOR(STDDEV(d)) FROM t GROUP BY e;
SELECT ROUND(CORR(a, b), 1) FROM t;
SELECT id, ROUND(SQRT(b), 2), CEIL(SQRT(b)), TRUNC(SQRT(b), 1), CAST(SQRT(b * 6.25) AS INTEGER), ROUND(SQRT(id), -1), ROUND(SQRT(b / 3), 3) FROM t;
