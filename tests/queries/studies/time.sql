-- Months, years, sequences of measurements.

-- admissions by month: so far, and the average of three
WITH m AS (SELECT DATE_TRUNC('month', admit_date)::DATE AS month, COUNT(*) AS n FROM encounters GROUP BY 1)
SELECT month, n, SUM(n) OVER (ORDER BY month ROWS UNBOUNDED PRECEDING) AS cum, AVG(n) OVER (ORDER BY month ROWS
    BETWEEN 2 PRECEDING AND CURRENT ROW) AS ma3 FROM m ORDER BY month;

-- diagnoses against the year before
WITH y AS (SELECT EXTRACT(YEAR FROM diag_date) AS yr, major_icd9, COUNT(*) AS n FROM diagnoses GROUP BY 1, 2)
SELECT yr, major_icd9, n, n - LAG(n) OVER (PARTITION BY major_icd9 ORDER BY yr) AS delta, ROUND(100.0 * (n - LAG(n)
    OVER (PARTITION BY major_icd9 ORDER BY yr)) / LAG(n) OVER (PARTITION BY major_icd9 ORDER BY yr), 1) AS pct FROM y
    ORDER BY major_icd9, yr;

-- the average of the last seven days with admissions
WITH d AS (SELECT admit_date AS day, COUNT(*) AS n FROM encounters GROUP BY admit_date)
SELECT day, n, AVG(n) OVER (ORDER BY day ROWS BETWEEN 6 PRECEDING AND CURRENT ROW) AS avg7 FROM d ORDER BY day;

-- diagnoses that begin anew after 30 days
WITH c AS (SELECT person_id, condition_concept_id, condition_start_date AS d, LAG(condition_start_date) OVER
    (PARTITION BY person_id, condition_concept_id ORDER BY condition_start_date) AS p FROM condition_occurrence)
SELECT condition_concept_id, SUM(CASE WHEN p IS NULL OR d - p > 30 THEN 1 ELSE 0 END) AS eras, COUNT(*) AS records
    FROM c GROUP BY condition_concept_id ORDER BY eras DESC, condition_concept_id;

-- from a patient's first value to the last one
WITH v AS (SELECT patient_id, value_num, lab_date, ROW_NUMBER() OVER (PARTITION BY patient_id ORDER BY lab_date,
    value_num) AS f, ROW_NUMBER() OVER (PARTITION BY patient_id ORDER BY lab_date DESC, value_num) AS l FROM labs
    WHERE test_name = 'HBA1C' AND value_num IS NOT NULL)
SELECT COUNT(*) AS n, AVG(b.value_num - a.value_num) AS mean_change, SUM(CASE WHEN b.value_num < a.value_num THEN 1
    ELSE 0 END) AS improved FROM v a JOIN v b ON a.patient_id = b.patient_id WHERE a.f = 1 AND b.l = 1;

-- the newest value of each patient
SELECT site_id, COUNT(*), AVG(value_num) FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY patient_id, test_name ORDER
    BY lab_date DESC, value_num DESC NULLS LAST, site_id) AS rn FROM labs) WHERE rn = 1 AND test_name = 'CREATININE'
    GROUP BY site_id ORDER BY site_id;

-- first and last values beside one another
SELECT DISTINCT patient_id, FIRST_VALUE(value_num) OVER w AS first, LAST_VALUE(value_num) OVER w AS last FROM labs
    WHERE test_name = 'LDL' WINDOW w AS (PARTITION BY patient_id ORDER BY lab_date, value_num ROWS BETWEEN UNBOUNDED
    PRECEDING AND UNBOUNDED FOLLOWING) ORDER BY patient_id;

-- the first value after a diagnosis
WITH dx AS (SELECT person_id, MIN(condition_start_date) AS d FROM condition_occurrence WHERE condition_concept_id =
    201826 GROUP BY person_id),
m AS (SELECT m.person_id, m.value_as_number, ROW_NUMBER() OVER (PARTITION BY m.person_id ORDER BY m.measurement_date,
    m.value_as_number) AS r
  FROM measurement m JOIN dx ON dx.person_id = m.person_id AND m.measurement_date >= dx.d WHERE
    m.measurement_concept_id = 3004410)
SELECT COUNT(*) AS n, AVG(value_as_number) AS mean, MEDIAN(value_as_number) AS med FROM m WHERE r = 1;

-- the newest blood pressure, by a correlated subquery
SELECT g.gender, AVG(v.systolic) FROM vitals v JOIN demographics g ON g.patient_id = v.patient_id WHERE v.vital_date =
    (SELECT MAX(vital_date) FROM vitals w WHERE w.patient_id = v.patient_id) GROUP BY g.gender ORDER BY g.gender;

-- years as columns
SELECT major_icd9, COUNT(*) FILTER (WHERE YEAR(diag_date) = 2006) AS y2006, COUNT(*) FILTER (WHERE YEAR(diag_date) =
    2007) AS y2007, COUNT(*) FILTER (WHERE YEAR(diag_date) = 2008) AS y2008, COUNT(*) AS total FROM diagnoses GROUP BY
    major_icd9 ORDER BY total DESC, major_icd9 LIMIT 8;

-- two hospitals year by year
WITH a AS (SELECT YEAR(admit_date) AS y, COUNT(*) AS n FROM encounters WHERE site_id = 1 GROUP BY y), b AS (SELECT
    YEAR(admit_date) AS y, COUNT(*) AS n FROM encounters WHERE site_id = 2 GROUP BY y)
SELECT COALESCE(a.y, b.y) AS y, COALESCE(a.n, 0) AS n1, COALESCE(b.n, 0) AS n2 FROM a FULL OUTER JOIN b ON a.y = b.y
    ORDER BY 1;
