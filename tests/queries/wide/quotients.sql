-- quotients by secrets as keys: in fixed point, so fine that different ones differ
SELECT k / (g + 1) AS r, COUNT(*) FROM m GROUP BY r ORDER BY r DESC;
SELECT DISTINCT k / (g + 1), g > 1 FROM m;
SELECT COUNT(DISTINCT k / (g + 1)), MEDIAN(k / (g + 1)), MIN(k / (g + 1)) FROM m;
SELECT g, k / (id + 1) AS r, SUM(q) FROM m JOIN n ON m.b = n.b GROUP BY g, r HAVING COUNT(*) > 0;
SELECT id, RANK() OVER (ORDER BY h / (g + 1)) AS place FROM m;
-- statistics of quotients
SELECT VAR_POP(k / (g + 1)), STDDEV(k / (g + 1)) FROM m;
SELECT REGR_SLOPE(h, k / (g + 1)), REGR_INTERCEPT(k / (g + 1), w), COVAR_SAMP(w / 2, h / 3), REGR_SXX(h / 2, w / 3) FROM m;
SELECT CORR(k / (g + 1), h) FROM m;
-- order by quotients of wide numbers
SELECT g, AVG(h) AS a FROM m GROUP BY g ORDER BY a DESC LIMIT 2;
SELECT g, SUM(h) / SUM(w) AS q FROM m GROUP BY g ORDER BY q;
SELECT k FROM m GROUP BY k ORDER BY AVG(w) DESC NULLS LAST, k;
-- rounded, whole
SELECT g, ROUND(AVG(h), 2) AS a FROM m GROUP BY g HAVING ROUND(AVG(h), 2) > 0 ORDER BY a DESC;
SELECT (id * c) // (g + 1) FROM m WHERE c < 5 AND c > -5;
-- roots times and over what may be negative are signed roots
SELECT id, (w - AVG(w) OVER ()) / STDDEV(w) OVER () FROM m;
SELECT STDDEV(w) / AVG(w), STDDEV(h) / AVG(h), -STDDEV(h), AVG(h) * STDDEV(w), CORR(w, h) * -2 FROM m;
SELECT g, COALESCE(STDDEV(w), 0), CASE WHEN g > 0 THEN STDDEV(h) ELSE AVG(h) END FROM m GROUP BY g;
SELECT k FROM m GROUP BY k HAVING STDDEV(h) > AVG(h);
SELECT id FROM m WHERE h > (SELECT -2 * STDDEV(h) FROM m);
SELECT g, SUM(h / w), AVG(h / (w - 70)) FROM m GROUP BY g;
-- sums of quotients of which both sides are wide, with choices, and without what they have in common
SELECT g, SUM(CASE WHEN k > 10 THEN h * w / (w * w) WHEN k IS NULL THEN h / (g + 1) END) FROM m GROUP BY g;
SELECT SUM((h - w) * (h - w) / (w * h)), MAX(k * h / (w * (id + 1))), SUM(-h / w), SUM(w / NULLIF(k - 7, 0)) FROM m;
SELECT SUM(s * s) FROM (SELECT SUM(h) / (SELECT SUM(h) FROM m) AS s FROM m GROUP BY g);
SELECT g, ROUND(AVG(h), 2) FROM m GROUP BY g ORDER BY AVG(h) DESC LIMIT 2;
SELECT id FROM m WHERE w > (SELECT AVG(w) + 0.5 * STDDEV(w) FROM m) OR ABS(w - (SELECT AVG(w) FROM m)) < 0.3 * (SELECT STDDEV(w) FROM m);
