-- what lies between two TIMESTAMPs
SELECT id, went - came, came - born, born - went FROM stays;
SELECT id FROM stays WHERE went - came > INTERVAL '1' DAY OR came - went BETWEEN INTERVAL '-2 hours' AND INTERVAL 90 MINUTE;
SELECT id, (went - came) * 2, 3 * (came - went), -(went - came), INTERVAL '1' HOUR * k, (went - came) IS NULL FROM stays;
SELECT id, came + (went - came), came - (came - born), (went - came) + INTERVAL 2 HOUR, (went - came) - (came - went) FROM stays;
SELECT k, MIN(went - came), MAX(went - came), COUNT(went - came), COUNT(DISTINCT went - came) FROM stays GROUP BY k;
SELECT went - came AS stay, COUNT(*) FROM stays GROUP BY stay ORDER BY stay LIMIT 3;
SELECT id, CASE WHEN k > 0 THEN went - came END, COALESCE(went - came, INTERVAL 1 DAY), GREATEST(went - came, INTERVAL 1 WEEK) FROM stays;
SELECT EXTRACT(EPOCH FROM x), EPOCH(x) FROM (SELECT MAX(went - came) AS x FROM stays) s;
SELECT id, LAG(went - came) OVER (ORDER BY id), RANK() OVER (ORDER BY went - came), MAX(went - came) OVER (PARTITION BY k) FROM stays;
SELECT id FROM stays WHERE went - came = (SELECT MIN(went - came) FROM stays);
SELECT went - came FROM stays UNION SELECT came - born FROM stays;
-- names and dates made of numbers, whole powers
SELECT id, MONTHNAME(came), DAYNAME(went), DAYNAME(born), MAKE_DATE(YEAR(born), MONTH(came), 28), k ** 2, POWER(k, 3) FROM stays;
