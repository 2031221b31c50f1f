-- Rates, tests, distributions.

-- observed and expected events of a treatment
WITH days AS (SELECT followup_days AS t, SUM(event) AS d, COUNT(*) AS leaving, SUM(CASE WHEN arm = 'A' THEN event ELSE
    0 END) AS d1,
     SUM(CASE WHEN arm = 'A' THEN 1 ELSE 0 END) AS l1 FROM survival GROUP BY followup_days),
risk AS (SELECT t, d, d1, SUM(leaving) OVER (ORDER BY t DESC) AS n, SUM(l1) OVER (ORDER BY t DESC) AS n1 FROM days)
SELECT SUM(d1) AS observed, SUM(1.0 * d * n1 / n) AS expected FROM risk WHERE d > 0;

-- what is coded and what is measured
WITH p AS (SELECT patient_id, MAX(CASE WHEN major_icd9 = '250' THEN 1 ELSE 0 END) AS a FROM diagnoses GROUP BY
    patient_id),
q AS (SELECT patient_id, MAX(CASE WHEN test_name = 'HBA1C' AND value_num >= 6.5 THEN 1 ELSE 0 END) AS b FROM labs
    GROUP BY patient_id)
SELECT COUNT(*) AS n, SUM(a * b) AS both, SUM(a) AS coded, SUM(b) AS measured, 1.0 * SUM(a * b) / NULLIF(SUM(b), 0) AS
    sensitivity
FROM p JOIN q ON p.patient_id = q.patient_id;

-- a fourfold table
WITH t AS (
  SELECT COUNT(*) FILTER (WHERE g.gender = 'F' AND e.died = 1) AS a, COUNT(*) FILTER (WHERE g.gender = 'F' AND e.died
    = 0) AS b,
   COUNT(*) FILTER (WHERE g.gender = 'M' AND e.died = 1) AS c, COUNT(*) FILTER (WHERE g.gender = 'M' AND e.died = 0)
    AS d
  FROM encounters e JOIN demographics g ON e.patient_id = g.patient_id)
SELECT a, b, c, d, (a + b + c + d) * (a * d - b * c) * (a * d - b * c) * 1.0 / ((a + b) * (c + d) * (a + c) * (b + d))
    AS chi2,
  1.0 * a * d / NULLIF(b * c, 0) AS odds_ratio FROM t;

-- a life table, day by day
WITH d AS (SELECT arm, followup_days, SUM(event) AS events, COUNT(*) AS n FROM survival GROUP BY arm, followup_days),
 r AS (SELECT arm, followup_days, events, SUM(n) OVER (PARTITION BY arm ORDER BY followup_days DESC ROWS BETWEEN
    UNBOUNDED PRECEDING AND CURRENT ROW) AS at_risk FROM d)
SELECT arm, followup_days, at_risk, events, 1.0 - 1.0 * events / at_risk AS step FROM r WHERE events > 0 ORDER BY arm,
    followup_days;

-- cases per 1000 years under observation
WITH first AS (SELECT person_id, MIN(condition_start_date) AS d FROM condition_occurrence WHERE condition_concept_id =
    201826 GROUP BY person_id)
SELECT p.gender_concept_id, COUNT(f.person_id) AS cases,
  SUM(COALESCE(LEAST(f.d, o.observation_period_end_date), o.observation_period_end_date) -
    o.observation_period_start_date) / 365.25 AS person_years,
  1000.0 * COUNT(f.person_id) / (SUM(COALESCE(LEAST(f.d, o.observation_period_end_date),
    o.observation_period_end_date) - o.observation_period_start_date) / 365.25) AS rate
FROM observation_period o JOIN person p ON p.person_id = o.person_id LEFT JOIN first f ON f.person_id = o.person_id
    AND f.d BETWEEN o.observation_period_start_date AND o.observation_period_end_date
WHERE f.d IS NULL OR f.d > o.observation_period_start_date
GROUP BY p.gender_concept_id ORDER BY p.gender_concept_id;

-- quarters by weight
SELECT q, COUNT(*) AS n, MIN(weight_kg) AS lo, MAX(weight_kg) AS hi, AVG(systolic) AS sbp FROM (SELECT weight_kg,
    systolic, NTILE(4) OVER (ORDER BY weight_kg, patient_id, vital_date, systolic) AS q FROM vitals) GROUP BY q ORDER
    BY q;

-- values far outside the quartiles
WITH q AS (SELECT test_name, QUANTILE_CONT(value_num, 0.25) AS q1, QUANTILE_CONT(value_num, 0.75) AS q3 FROM labs
    GROUP BY test_name)
SELECT l.test_name, COUNT(*) AS outliers FROM labs l JOIN q ON q.test_name = l.test_name WHERE l.value_num > q.q3 +
    1.5 * (q.q3 - q.q1) OR l.value_num < q.q1 - 1.5 * (q.q3 - q.q1) GROUP BY l.test_name ORDER BY l.test_name;

-- how unequal costs are
WITH r AS (SELECT cost, ROW_NUMBER() OVER (ORDER BY cost, patient_id) AS i, COUNT(*) OVER () AS n FROM costs) SELECT
    2.0 * SUM(i * cost) / (MAX(n) * SUM(cost)) - (MAX(n) + 1.0) / MAX(n) AS gini FROM r;

-- where costs stand among all
SELECT patient_id, icd9, cost, PERCENT_RANK() OVER (ORDER BY cost) AS pr, CUME_DIST() OVER (PARTITION BY icd9 ORDER BY
    cost) AS cd FROM costs ORDER BY cost DESC, patient_id LIMIT 10;

-- shares of the whole
SELECT company, SUM(fare) AS rev, SUM(fare) / SUM(SUM(fare)) OVER () AS share, RANK() OVER (ORDER BY SUM(fare) DESC)
    AS rk FROM trips GROUP BY company ORDER BY rk;

-- counts, the small ones left out
SELECT zip, race, CASE WHEN COUNT(*) < 3 THEN NULL ELSE COUNT(*) END AS n, CASE WHEN COUNT(*) < 3 THEN '<3' ELSE
    CAST(COUNT(*) AS VARCHAR) END AS shown FROM demographics GROUP BY zip, race ORDER BY zip, race;

-- chapters of a classification
SELECT CASE WHEN major_icd9 BETWEEN '001' AND '139' THEN 'infectious' WHEN major_icd9 BETWEEN '240' AND '279' THEN
    'endocrine' WHEN major_icd9 BETWEEN '390' AND '459' THEN 'circulatory' WHEN major_icd9 LIKE 'V%' THEN
    'supplementary' ELSE 'other' END AS chapter, COUNT(*) AS n, COUNT(DISTINCT patient_id) AS p FROM diagnoses GROUP
    BY chapter ORDER BY n DESC, chapter;

-- codes and their parts
SELECT LEFT(icd9, 3) AS cat, SUBSTRING(icd9, 5, 2) AS sub, COUNT(*) AS n FROM diagnoses WHERE icd9 LIKE '25%.%' OR
    icd9 LIKE '40_.%' GROUP BY cat, sub ORDER BY cat, sub;

-- drugs, however they are written
SELECT LOWER(TRIM(medication)) AS m, route, COUNT(*) AS n FROM medications GROUP BY m, route ORDER BY n DESC, m, route
    LIMIT 12;

-- diagnoses of one hospital beyond another's
SELECT major_icd9 FROM diagnoses WHERE site_id = 1 EXCEPT ALL SELECT major_icd9 FROM diagnoses WHERE site_id = 2 ORDER
    BY major_icd9;

-- ages by sex
SELECT CASE WHEN 2008 - birth_year < 18 THEN '0-17' WHEN 2008 - birth_year < 45 THEN '18-44' WHEN 2008 - birth_year <
    65 THEN '45-64' ELSE '65+' END AS band, gender, COUNT(*) AS n, ROUND(100.0 * COUNT(*) / SUM(COUNT(*)) OVER
    (PARTITION BY gender), 1) AS pct FROM demographics GROUP BY band, gender ORDER BY gender, band;

-- the same by a table of bands
SELECT b.label, COUNT(*) AS n FROM demographics g JOIN (VALUES (0, 39, 'young'), (40, 64, 'middle'), (65, 130, 'old'))
    AS b(lo, hi, label) ON 2008 - g.birth_year BETWEEN b.lo AND b.hi GROUP BY b.label ORDER BY n;

-- CASE in CASE
SELECT CASE WHEN gender = 'F' THEN CASE WHEN 2008 - birth_year >= 65 THEN 'F65' ELSE 'F' END ELSE CASE WHEN 2008 -
    birth_year >= 75 THEN 'M75' WHEN race IN ('1', '2') THEN 'M12' ELSE 'M' END END AS k, COUNT(*) FROM demographics
    GROUP BY k ORDER BY k;

-- the steps of a log-rank test: in each quarter deaths of one arm, how many are expected, and the variance
WITH grid AS (SELECT CAST(FLOOR(followup_days / 90.0) AS INTEGER) AS bin, arm, COUNT(*) AS c, SUM(event) AS d FROM
    survival GROUP BY bin, arm), r AS (SELECT bin, arm, d, SUM(c) OVER (PARTITION BY arm ORDER BY bin DESC) AS n FROM
    grid), w AS (SELECT bin, SUM(CASE WHEN arm = 'A' THEN d ELSE 0 END) AS d1, SUM(d) AS d, SUM(CASE WHEN arm = 'A'
    THEN n ELSE 0 END) AS n1, SUM(n) AS n FROM r GROUP BY bin)
SELECT bin, d1, d * n1 * 1.0 / n AS e1, CASE WHEN n > 1 THEN 1.0 * d * n1 * (n - n1) * (n - d) / (1.0 * n * n *
    (n - 1)) END AS v FROM w ORDER BY bin;

-- and the test itself: what was observed against what was expected
WITH grid AS (SELECT CAST(FLOOR(followup_days / 90.0) AS INTEGER) AS bin, arm, COUNT(*) AS c, SUM(event) AS d FROM
    survival GROUP BY bin, arm), r AS (SELECT bin, arm, d, SUM(c) OVER (PARTITION BY arm ORDER BY bin DESC) AS n FROM
    grid), w AS (SELECT bin, SUM(CASE WHEN arm = 'A' THEN d ELSE 0 END) AS d1, SUM(d) AS d, SUM(CASE WHEN arm = 'A'
    THEN n ELSE 0 END) AS n1, SUM(n) AS n FROM r GROUP BY bin), t AS (SELECT d1, d * n1 * 1.0 / n AS e1, CASE WHEN
    n > 1 THEN 1.0 * d * n1 * (n - n1) * (n - d) / (1.0 * n * n * (n - 1)) END AS v FROM w)
SELECT SUM(d1) - SUM(e1) AS surplus, SUM(v) AS variance, (SUM(d1) - SUM(e1)) ^ 2 / SUM(v) AS chi2 FROM t;

-- whether two attributes have to do with one another
WITH o AS (SELECT gender, race, COUNT(*) AS o FROM demographics GROUP BY gender, race), e AS (SELECT o, SUM(o) OVER
    (PARTITION BY gender) AS r, SUM(o) OVER (PARTITION BY race) AS c, SUM(o) OVER () AS n FROM o)
SELECT SUM((o - 1.0 * r * c / n) * (o - 1.0 * r * c / n) / (1.0 * r * c / n)) AS chi2, SQRT(SUM((o - 1.0 * r * c / n)
    * (o - 1.0 * r * c / n) / (1.0 * r * c / n)) / (MAX(n) * 2)) AS cramers_v FROM e;

-- how few share the market
WITH s AS (SELECT trip_type, SUM(fare) / SUM(SUM(fare)) OVER (PARTITION BY trip_type) AS share FROM trips GROUP BY
    trip_type, company) SELECT trip_type, SUM(share * share) AS hhi FROM s GROUP BY trip_type ORDER BY trip_type;

-- effects of several sites, each weighed by how sure it is
WITH t AS (SELECT site_id, COUNT(*) AS n, AVG(systolic) AS y, VAR_SAMP(systolic) / COUNT(*) AS v FROM vitals GROUP BY
    site_id) SELECT SUM(y / v) / SUM(1 / v) AS pooled, 1 / SUM(1 / v) AS variance FROM t;

-- precision and recall of a rule in each unit, and their harmonic mean over all
WITH t AS (SELECT unit_type, COUNT(*) FILTER (WHERE apache_iv > 80 AND died = 1) AS tp, COUNT(*) FILTER (WHERE apache_iv >
    80 AND died = 0) AS fp, COUNT(*) FILTER (WHERE apache_iv <= 80 AND died = 1) AS fn FROM encounters GROUP BY
    unit_type), p AS (SELECT 1.0 * tp / NULLIF(tp + fp, 0) AS pr, 1.0 * tp / NULLIF(tp + fn, 0) AS re FROM t)
SELECT AVG(2 * pr * re / NULLIF(pr + re, 0)) AS f1 FROM p;

-- how sure the curve of survival is, quarter by quarter (Greenwood)
WITH grid AS (SELECT followup_days // 90 AS bin, COUNT(*) AS c, SUM(event) AS d FROM survival GROUP BY bin), r AS
    (SELECT bin, d, SUM(c) OVER (ORDER BY bin DESC) AS n FROM grid)
SELECT bin, SUM(CASE WHEN n > d THEN 1.0 * d / (1.0 * n * (n - d)) ELSE 0 END) OVER (ORDER BY bin) AS g FROM r ORDER
    BY bin;

-- how far two sites are apart, in standard deviations of both
WITH t AS (SELECT AVG(CASE WHEN site_id = 1 THEN systolic END) AS m1, VAR_SAMP(CASE WHEN site_id = 1 THEN systolic END)
    AS v1, COUNT(CASE WHEN site_id = 1 THEN 1 END) AS n1, AVG(CASE WHEN site_id = 2 THEN systolic END) AS m2,
    VAR_SAMP(CASE WHEN site_id = 2 THEN systolic END) AS v2, COUNT(CASE WHEN site_id = 2 THEN 1 END) AS n2 FROM vitals)
SELECT (m1 - m2) / SQRT(((n1 - 1) * v1 + (n2 - 1) * v2) / (n1 + n2 - 2)) AS d FROM t;
