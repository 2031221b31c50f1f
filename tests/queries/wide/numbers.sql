-- what an analyst meets first: statistics of a DOUBLE without declared bounds
SELECT STDDEV(w), VAR_POP(h), VAR_SAMP(w), COUNT(w) FROM m;
SELECT CORR(w, h), COVAR_POP(w, h), REGR_SLOPE(w, h), REGR_INTERCEPT(h, w), REGR_R2(w, h) FROM m;
SELECT k, SUM(b), STDDEV_POP(h), AVG(w), COUNT(*) FROM m GROUP BY k;
SELECT g, SUM(b), STDDEV_POP(h), SUM(w * h) FROM m GROUP BY g;
SELECT SUM(b) FILTER (WHERE g = 1), VAR_SAMP(w) FILTER (WHERE h > 0), SUM(w * h + w) FILTER (WHERE g <> 1) FROM m;
SELECT SUM(w), STDDEV(w), SUM(b), VAR_POP(d), COALESCE(MAX(b), 0) FROM nothing;
-- all of BIGINT and of DECIMAL(18, 2)
SELECT SUM(b), AVG(c), SUM(d), AVG(e), MIN(b), MAX(c), MEDIAN(b) FROM m;
SELECT k, MIN(b), MAX(c), MIN(d), MAX(e) FROM m GROUP BY k;
SELECT SUM(CASE WHEN g = 1 THEN d ELSE 0 END) / SUM(e), 100.0 * SUM(w * h) / SUM(h * h) FROM m;
SELECT id, b > c, b = c, b <> 0 FROM m WHERE b < c OR c IN (0, -1);
SELECT id, w * h, -(w * h), CASE WHEN g = 1 THEN w * h ELSE h END FROM m;
SELECT id FROM m WHERE h * w IS NULL OR NOT w * h = w * h;
-- sums that are read in the query
SELECT g, SUM(c) FROM m GROUP BY g HAVING SUM(c) > 5 ORDER BY SUM(c) DESC;
SELECT g FROM m GROUP BY g ORDER BY SUM(c) DESC, g LIMIT 2;
SELECT k FROM m GROUP BY k HAVING STDDEV(w) > 20;
SELECT MAX(s), MIN(s), SUM(s), COUNT(DISTINCT s) FROM (SELECT g, SUM(c) AS s FROM m GROUP BY g);
SELECT COUNT(*) FROM m WHERE h > (SELECT AVG(h) FROM m) AND c < (SELECT SUM(c) FROM m);
-- wide values as keys
SELECT w * h AS p, COUNT(*) FROM m GROUP BY p;
SELECT COUNT(DISTINCT w * h), COUNT(w * h) FROM m;
SELECT id, h * w AS p FROM m ORDER BY p DESC NULLS LAST LIMIT 3;
SELECT h * h FROM m WHERE g = 1 UNION SELECT h * h FROM m WHERE g < 2;
SELECT w * h FROM m UNION ALL SELECT w FROM m;
SELECT m.id, n.p FROM m JOIN n ON m.b = n.b;
SELECT x.id, y.id FROM m x LEFT JOIN (SELECT h * w AS p, MIN(id) AS id FROM m GROUP BY p) y ON x.h * x.w = y.p;
-- windows
SELECT id, SUM(c) OVER (PARTITION BY g), STDDEV(h) OVER (PARTITION BY g), SUM(c) OVER (ORDER BY id) FROM m;
SELECT id, LAG(h * w) OVER (ORDER BY id), RANK() OVER (ORDER BY h * h) FROM m;
-- choices among wide numbers, of which those that are not chosen may be NULL
SELECT id, CASE WHEN k > 10 THEN h * h * w WHEN g = 1 THEN w * h * 1000 END AS x FROM m;
SELECT id, CASE WHEN k > 10 THEN h * h * w / (g + 1) WHEN g = 1 THEN h / w ELSE -h END AS x FROM m ORDER BY id;
SELECT g, SUM(CASE WHEN k > 10 THEN h * h WHEN g = 1 THEN w * h END), COUNT(CASE WHEN k > 10 THEN h * h * w END) FROM m GROUP BY g;
SELECT MAX(CASE WHEN k > 10 THEN h * h ELSE w * h END), MIN(CASE WHEN w > 60 THEN h * h * w ELSE 7 END) FROM m;

-- whole quotients of what fills a word, and BIGINTs as text
SELECT id, CAST(b AS VARCHAR), b // 1000000007, b % 1000000007, (k * 92233720368547::BIGINT) // 3 FROM m;
