-- parts of INTERVALs, and what a calendar counts between two moments
SELECT id, EXTRACT(DAY FROM went - came), EXTRACT(HOUR FROM came - born), DATE_PART('minute', born - went), EXTRACT(MICROSECOND FROM (went - came) * k), MONTH(went - came) FROM stays;
SELECT id, EXTRACT(YEAR FROM AGE(came, born)), YEAR(AGE(born, went)), DATE_PART('years', AGE('2024-02-29', born)), EXTRACT(YEAR FROM AGE(came, NULL)) FROM stays;
SELECT id, AGE(came, born) FROM stays WHERE EXTRACT(YEAR FROM AGE(came, born)) < 3;
SELECT EXTRACT(MONTH FROM a), EXTRACT(HOUR FROM b) FROM (SELECT AGE(born, DATE '1999-12-31') AS a, went - came + INTERVAL 30 HOUR AS b FROM stays) s;
SELECT id, CAST(went - came AS VARCHAR), ((came - born) * k)::VARCHAR, INTERVAL '14 months'::VARCHAR FROM stays;
SELECT id, born + INTERVAL '2 days 3 hours', came - INTERVAL '1 day 2 minutes', came + TO_DAYS(k), TO_MINUTES(k) FROM stays;
SELECT id, (went - came) * 0.5, (went - came) / 2, (went - came) * 1.5 > INTERVAL 1 DAY FROM stays;
SELECT x, EXTRACT(EPOCH FROM x) FROM (SELECT went - came AS x FROM stays UNION ALL SELECT INTERVAL 30 HOUR UNION ALL SELECT NULL) s;
SELECT EXTRACT(HOUR FROM x) FROM (SELECT went - came AS x FROM stays UNION SELECT came - born FROM stays) s;
-- aggregates of INTERVALs
SELECT k, MEDIAN(went - came), EXTRACT(DAY FROM MAX(went - came)), QUANTILE_DISC(went - came, 0.3), ARG_MAX(id, came - born) FROM stays GROUP BY k;
SELECT went - came AS stay, EXTRACT(HOUR FROM stay), COUNT(*) FROM stays GROUP BY stay;
SELECT k FROM stays GROUP BY k HAVING AVG(came - born) > INTERVAL 9000 DAY;
SELECT id FROM stays WHERE came - born > (SELECT AVG(came - born) FROM stays);
