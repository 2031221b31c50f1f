-- Stays: how long, again, how many at once.

-- readmissions within 30 days
WITH e AS (SELECT patient_id, site_id, admit_date, discharge_date, LEAD(admit_date) OVER (PARTITION BY patient_id
    ORDER BY admit_date, encounter_id) AS next_admit FROM encounters)
SELECT site_id, COUNT(*) AS discharges, COUNT(*) FILTER (WHERE next_admit - discharge_date BETWEEN 0 AND 30) AS
    readmitted,
 ROUND(100.0 * COUNT(*) FILTER (WHERE next_admit - discharge_date BETWEEN 0 AND 30) / COUNT(*), 2) AS pct FROM e GROUP
    BY site_id ORDER BY site_id;

-- stays after which another began, by a self-join
SELECT a.unit_type, COUNT(DISTINCT a.encounter_id) AS readmitted FROM encounters a JOIN encounters b ON a.patient_id =
    b.patient_id AND b.admit_date > a.discharge_date AND b.admit_date <= a.discharge_date + INTERVAL 300 DAY GROUP BY
    a.unit_type ORDER BY a.unit_type;

-- the same by EXISTS
SELECT COUNT(*) FROM encounters a WHERE EXISTS (SELECT 1 FROM encounters b WHERE b.patient_id = a.patient_id AND
    b.admit_date > a.discharge_date AND b.admit_date <= a.discharge_date + 300);

-- percentiles of the length of stay
SELECT unit_type, COUNT(*) AS n, MEDIAN(discharge_date - admit_date) AS med, QUANTILE_CONT(discharge_date -
    admit_date, 0.25) AS q1,
 PERCENTILE_CONT(0.75) WITHIN GROUP (ORDER BY discharge_date - admit_date) AS q3, PERCENTILE_DISC(0.9) WITHIN GROUP
    (ORDER BY discharge_date - admit_date) AS p90
FROM encounters GROUP BY unit_type ORDER BY unit_type;

-- stays that follow one another closely as one episode
WITH f AS (SELECT patient_id, admit_date, discharge_date, CASE WHEN admit_date <= LAG(discharge_date) OVER (PARTITION
    BY patient_id ORDER BY admit_date, encounter_id) + 90 THEN 0 ELSE 1 END AS is_new, encounter_id FROM encounters),
e AS (SELECT patient_id, admit_date, discharge_date, SUM(is_new) OVER (PARTITION BY patient_id ORDER BY admit_date,
    encounter_id ROWS UNBOUNDED PRECEDING) AS episode FROM f)
SELECT patient_id, episode, MIN(admit_date) AS start, MAX(discharge_date) AS stop, COUNT(*) AS stays FROM e GROUP BY
    patient_id, episode HAVING COUNT(*) > 1 ORDER BY patient_id, episode;

-- months in a row with a test
WITH m AS (SELECT DISTINCT patient_id, YEAR(lab_date) * 12 + MONTH(lab_date) AS k FROM labs),
 g AS (SELECT patient_id, k, k - ROW_NUMBER() OVER (PARTITION BY patient_id ORDER BY k) AS grp FROM m),
 i AS (SELECT patient_id, grp, COUNT(*) AS len FROM g GROUP BY patient_id, grp)
SELECT len, COUNT(*) AS islands FROM i GROUP BY len ORDER BY len;

-- patients in hospital on some days
SELECT c.day, COUNT(e.encounter_id) AS census FROM (VALUES (DATE '2007-01-15'), (DATE '2007-04-15'), (DATE
    '2007-07-15')) AS c(day) LEFT JOIN encounters e ON e.admit_date <= c.day AND e.discharge_date > c.day GROUP BY
    c.day ORDER BY c.day;

-- the most patients at once
WITH ev AS (SELECT admit_date AS day, 1 AS delta FROM encounters UNION ALL SELECT discharge_date, -1 FROM encounters),
    d AS (SELECT day, SUM(delta) AS net FROM ev GROUP BY day)
SELECT MAX(c) AS peak FROM (SELECT SUM(net) OVER (ORDER BY day) AS c FROM d);

-- days in bed of a year
SELECT SUM(GREATEST(LEAST(discharge_date, DATE '2007-12-31') - GREATEST(admit_date, DATE '2007-01-01'), 0)) AS
    bed_days_2007 FROM encounters;

-- how well a score separates, at some thresholds
SELECT t.cutoff, SUM(CASE WHEN e.apache_iv >= t.cutoff AND e.died = 1 THEN 1 ELSE 0 END) AS tp,
 SUM(CASE WHEN e.apache_iv >= t.cutoff AND e.died = 0 THEN 1 ELSE 0 END) AS fp, SUM(e.died) AS pos, SUM(1 - e.died) AS
    neg
FROM encounters e CROSS JOIN (VALUES (40), (60), (80), (100), (120), (140)) AS t(cutoff) GROUP BY t.cutoff ORDER BY
    t.cutoff;

-- the area under that curve
WITH r AS (SELECT died, apache_iv, RANK() OVER (ORDER BY apache_iv) AS rk, COUNT(*) OVER (PARTITION BY apache_iv) AS
    ties FROM encounters),
s AS (SELECT SUM(rk + (ties - 1) / 2.0) FILTER (WHERE died = 1) AS rs, SUM(died) AS n1, COUNT(*) - SUM(died) AS n0
    FROM r)
SELECT (rs - n1 * (n1 + 1) / 2.0) / NULLIF(n1 * n0, 0) AS auc FROM s;

-- deaths by tenths of a score
WITH d AS (SELECT apache_iv, died, NTILE(10) OVER (ORDER BY apache_iv, encounter_id) AS decile FROM encounters)
SELECT decile, COUNT(*) AS n, MIN(apache_iv) AS lo, MAX(apache_iv) AS hi, SUM(died) AS deaths, AVG(died) AS rate FROM
    d GROUP BY decile ORDER BY decile;

-- mortality, with subtotals
SELECT site_id, unit_type, GROUPING(site_id, unit_type) AS g, COUNT(*) AS n, SUM(died) AS deaths, ROUND(AVG(died) *
    100, 2) AS mortality FROM encounters GROUP BY GROUPING SETS ((site_id, unit_type), (site_id), (unit_type), ())
    ORDER BY g, site_id NULLS LAST, unit_type NULLS LAST;

-- subtotals with names
SELECT COALESCE(CAST(site_id AS VARCHAR), 'all') AS site, COALESCE(CAST(unit_type AS VARCHAR), 'total') AS unit,
    COUNT(*) AS n FROM encounters GROUP BY ROLLUP (site_id, unit_type) ORDER BY site, unit;

-- stays that are worse than their unit's average
SELECT COUNT(*) FROM encounters e WHERE e.apache_iv > (SELECT AVG(x.apache_iv) FROM encounters x WHERE x.unit_type =
    e.unit_type);

-- the commonest diagnoses of each hospital
SELECT site_id, major_icd9, n FROM (SELECT site_id, major_icd9, COUNT(*) AS n, ROW_NUMBER() OVER (PARTITION BY site_id
    ORDER BY COUNT(*) DESC, major_icd9) AS r FROM diagnoses GROUP BY site_id, major_icd9) WHERE r <= 3 ORDER BY
    site_id, r;

-- the same by QUALIFY, with ties
SELECT site_id, icd9, COUNT(*) AS n FROM diagnoses GROUP BY site_id, icd9 QUALIFY RANK() OVER (PARTITION BY site_id
    ORDER BY COUNT(*) DESC) <= 3 ORDER BY site_id, n DESC, icd9;

-- observed and expected deaths
WITH rate AS (SELECT unit_type, AVG(died) AS r FROM encounters GROUP BY unit_type), obs AS (SELECT site_id, unit_type,
    COUNT(*) AS n, SUM(died) AS d FROM encounters GROUP BY site_id, unit_type)
SELECT site_id, SUM(d) AS observed, SUM(n * r) AS expected, SUM(d) / NULLIF(SUM(n * r), 0) AS smr FROM obs JOIN rate
    USING (unit_type) GROUP BY site_id ORDER BY site_id;
