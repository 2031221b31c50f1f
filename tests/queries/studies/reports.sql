-- Reports of clinicians, epidemiologists, quality controllers and billing, each in its own style.
WITH dm AS (SELECT DISTINCT patient_id FROM diagnoses WHERE major_icd9 = '250'), htn AS (SELECT DISTINCT patient_id FROM diagnoses WHERE major_icd9 = '401'),
 both_dx AS (SELECT patient_id FROM dm INTERSECT SELECT patient_id FROM htn)
SELECT g.gender, COUNT(*) AS n, MIN(2008 - g.birth_year) AS youngest, MAX(2008 - g.birth_year) AS oldest FROM both_dx b NATURAL JOIN demographics g GROUP BY g.gender ORDER BY g.gender;
SELECT CASE WHEN v < 7 THEN 'controlled' WHEN v < 9 THEN 'fair' WHEN v IS NULL THEN 'unknown' ELSE 'poor' END AS control, COUNT(*) AS patients
FROM (SELECT patient_id, AVG(value_num) AS v FROM labs WHERE test_name = 'HBA1C' GROUP BY patient_id) t GROUP BY 1 ORDER BY 2 DESC, 1;
SELECT test_name, COUNT(*) AS n, AVG(value_num) AS mean_last FROM (SELECT DISTINCT ON (patient_id, test_name) patient_id, test_name, value_num, lab_date FROM labs WHERE value_num IS NOT NULL ORDER BY patient_id, test_name, lab_date DESC, value_num) GROUP BY test_name ORDER BY test_name;
WITH dx AS (SELECT patient_id, MIN(diag_date) AS d0 FROM diagnoses WHERE major_icd9 IN ('401', '428') GROUP BY patient_id),
 rx AS (SELECT dx.patient_id, MIN(m.med_date) AS m0 FROM dx JOIN medications m ON m.patient_id = dx.patient_id AND m.med_date >= dx.d0 GROUP BY dx.patient_id)
SELECT COUNT(*) AS diagnosed, COUNT(m0) AS treated, MEDIAN(m0 - d0) AS med_days, AVG(DATE_DIFF('week', d0, m0)) AS weeks FROM dx LEFT JOIN rx USING (patient_id);
SELECT q, COUNT(*) AS n, SUM(died) AS d, ROUND(100.0 * SUM(died) / COUNT(*), 1) AS pct FROM (SELECT died, NTILE(4) OVER (PARTITION BY unit_type ORDER BY apache_iv, encounter_id) AS q FROM encounters) x GROUP BY q ORDER BY q;
SELECT patient_id, vital_date, weight_kg - FIRST_VALUE(weight_kg) OVER (PARTITION BY patient_id ORDER BY vital_date, weight_kg) AS gain, LAST_VALUE(weight_kg) OVER (PARTITION BY patient_id ORDER BY vital_date, weight_kg ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS final FROM vitals ORDER BY patient_id, vital_date, gain LIMIT 40;
SELECT ARG_MIN(major_icd9, diag_date) AS first_code, COUNT(*) FROM diagnoses WHERE patient_id < 500 GROUP BY patient_id ORDER BY 2 DESC, 1;
SELECT site_id, COUNT(*) FROM encounters e WHERE EXISTS (SELECT 1 FROM diagnoses d WHERE d.patient_id = e.patient_id GROUP BY d.patient_id HAVING COUNT(DISTINCT d.major_icd9) >= 3) GROUP BY site_id ORDER BY 1;
SELECT COUNT(*) FROM labs WHERE value_num NOT IN (SELECT height_cm FROM vitals WHERE height_cm IS NOT NULL);
SELECT unit_type, COUNT(*) FROM encounters WHERE (patient_id, admit_date) IN (SELECT patient_id, MIN(admit_date) FROM encounters GROUP BY patient_id) GROUP BY ALL ORDER BY ALL;
WITH pop AS (SELECT gender, LEAST((2008 - birth_year) // 10, 8) AS decade, COUNT(*) AS n FROM demographics GROUP BY ALL), cases AS (SELECT g.gender, LEAST((2008 - g.birth_year) // 10, 8) AS decade, COUNT(DISTINCT g.patient_id) AS k FROM demographics g, diagnoses d WHERE g.patient_id = d.patient_id AND d.major_icd9 = '427' GROUP BY ALL)
SELECT pop.gender, decade, n, COALESCE(k, 0) AS k, ROUND(1000.0 * COALESCE(k, 0) / n, 2) AS per_1000 FROM pop LEFT JOIN cases USING (gender, decade) ORDER BY pop.gender, decade;
WITH a AS (SELECT SUM(event) AS d, SUM(followup_days) AS t FROM survival WHERE arm = 'A'), b AS (SELECT SUM(event) AS d, SUM(followup_days) AS t FROM survival WHERE arm = 'B')
SELECT 365.25 * a.d / a.t AS rate_a, 365.25 * b.d / b.t AS rate_b, (1.0 * a.d / a.t) / (1.0 * b.d / b.t) AS irr FROM a, b;
WITH t AS (SELECT COUNT(*) FILTER (WHERE arm = 'A' AND event = 1) AS a, COUNT(*) FILTER (WHERE arm = 'A' AND event = 0) AS b, COUNT(*) FILTER (WHERE arm = 'B' AND event = 1) AS c, COUNT(*) FILTER (WHERE arm = 'B' AND event = 0) AS d FROM survival)
SELECT SQRT(1.0 / a + 1.0 / b + 1.0 / c + 1.0 / d) AS se FROM t;
SELECT b.label, COUNT(*) AS n FROM phame_demo p JOIN (VALUES ('child', 0, 17), ('adult', 18, 64), ('senior', 65, 120)) AS b(label, lo, hi) ON p.age BETWEEN b.lo AND b.hi GROUP BY b.label ORDER BY b.label;
SELECT gender, payer, GROUPING_ID(gender, payer) AS g, COUNT(*) FROM phame_demo GROUP BY GROUPING SETS ((gender, payer), (gender), ()) ORDER BY g, gender, payer;
SELECT YEAR(admit_date) AS y, QUARTER(admit_date) AS q, COUNT(*) AS n FROM encounters GROUP BY ROLLUP (y, q) HAVING COUNT(*) > 2 ORDER BY y NULLS LAST, q NULLS LAST;
SELECT 'diagnoses' AS tbl, COUNT(*) AS orphans FROM diagnoses d WHERE NOT EXISTS (FROM demographics g WHERE g.patient_id = d.patient_id) UNION ALL SELECT 'labs', COUNT(*) FROM labs l LEFT JOIN demographics g USING (patient_id) WHERE g.patient_id IS NULL ORDER BY tbl;
WITH o AS (SELECT site_id, patient_id, discharge_date, LEAD(admit_date) OVER (PARTITION BY patient_id ORDER BY admit_date, encounter_id) AS nxt FROM encounters WHERE died = 0)
SELECT site_id, COUNT(*) AS idx, COUNT(*) FILTER (WHERE nxt - discharge_date BETWEEN 0 AND 30) AS readmits, 100.0 * COUNT(*) FILTER (WHERE nxt <= discharge_date + 30) / COUNT(*) AS pct FROM o GROUP BY site_id ORDER BY site_id;
WITH r AS (SELECT unit_type, 1.0 * SUM(died) / COUNT(*) AS rate FROM encounters GROUP BY unit_type) SELECT e.site_id, SUM(e.died) AS obs, SUM(r.rate) AS exp FROM encounters e NATURAL JOIN r GROUP BY e.site_id ORDER BY e.site_id;
SELECT site_id, unit_type, COUNT(*) AS n FROM encounters GROUP BY site_id, unit_type QUALIFY RANK() OVER (PARTITION BY site_id ORDER BY COUNT(*) DESC) = 1 ORDER BY site_id, unit_type;
SELECT COUNT(*) FROM ((SELECT patient_id FROM medications) EXCEPT (SELECT patient_id FROM diagnoses) UNION (SELECT patient_id FROM cdiff_cohort));
(SELECT 'hi' AS k, systolic AS v FROM vitals ORDER BY systolic DESC LIMIT 3) UNION ALL (SELECT 'lo', systolic FROM vitals ORDER BY systolic LIMIT 3) ORDER BY k, v;
SELECT p.coins_pct, SUM(ROUND(k.cost * p.coinsurance, 2)) AS patient_pays, SUM(CAST(k.cost AS INTEGER)) AS whole, SUM(TRUNC(k.cost)) AS cut, SUM(CEIL(k.cost)) AS up FROM costs k JOIN policies p ON k.patient_id = p.patient_id GROUP BY p.coins_pct ORDER BY p.coins_pct;
SELECT trip_type, company, SUM(fare) AS rev, SUM(fare) / SUM(SUM(fare)) OVER (PARTITION BY trip_type) AS share, RANK() OVER (PARTITION BY trip_type ORDER BY SUM(fare) DESC) AS rk FROM trips GROUP BY trip_type, company ORDER BY trip_type, rk;
SELECT COALESCE(a.company, b.company) AS company, a.n AS airport, b.n AS city FROM (SELECT company, COUNT(*) AS n FROM trips WHERE trip_type = 'airport' GROUP BY company) a FULL JOIN (SELECT company, COUNT(*) AS n FROM trips WHERE trip_type = 'city' AND fare > 40 GROUP BY company) b USING (company) ORDER BY 1;
SELECT REGR_COUNT(systolic, height_cm) AS n, REGR_AVGX(systolic, height_cm) AS ax, REGR_AVGY(systolic, height_cm) AS ay, REGR_SXX(systolic, height_cm) AS sxx, REGR_SXY(systolic, height_cm) AS sxy, REGR_SYY(systolic, height_cm) AS syy, REGR_R2(systolic, height_cm) AS r2 FROM vitals;
SELECT COUNT(*) FROM encounters WHERE apache_iv > (SELECT apache_iv FROM (SELECT apache_iv, ROW_NUMBER() OVER (ORDER BY apache_iv DESC, encounter_id) AS r FROM encounters) WHERE r = 5);
SELECT site_id, COUNT(*) FROM diagnoses WHERE major_icd9 IN (SELECT major_icd9 FROM diagnoses GROUP BY major_icd9 ORDER BY COUNT(*) DESC, major_icd9 LIMIT 3) GROUP BY site_id ORDER BY site_id;
SELECT g.insurance, COUNT(x.n) AS k, SUM(x.n) AS total FROM demographics g CROSS JOIN LATERAL (SELECT COUNT(*) AS n FROM encounters e WHERE e.patient_id = g.patient_id) x GROUP BY g.insurance ORDER BY 1;
SELECT gender, race, COUNT(*) AS n FROM demographics GROUP BY gender, race ORDER BY CASE gender WHEN 'F' THEN 1 WHEN 'M' THEN 2 ELSE 3 END, n DESC, race DESC;
SELECT encounter_id FROM encounters ORDER BY discharge_date - admit_date DESC NULLS LAST, encounter_id LIMIT 7;
SELECT race, COUNT(*) FROM demographics WHERE race > '3' AND race <> '7' GROUP BY race ORDER BY race;
SELECT LEFT(icd9, 3) = major_icd9 AS ok, LENGTH(icd9) AS len, COUNT(*) FROM diagnoses GROUP BY ok, len ORDER BY len, ok;
SELECT SUM(numerator::INT) AS n, AVG(denominator::INT) AS d, MAX(multisite) AS m, COUNT(*) FILTER (numerator IS TRUE) AS t, COUNT(*) FILTER (WHERE multisite IS NOT TRUE) FROM patient;
SELECT COUNT(*) FROM vitals WHERE systolic > ANY (SELECT systolic FROM vitals WHERE site_id = 2 AND pulse > 120) AND diastolic <= ALL (SELECT diastolic + 100 FROM vitals);
SELECT y, n, SUM(n) OVER (ORDER BY y ROWS UNBOUNDED PRECEDING) AS run, n - LAG(n) OVER (ORDER BY y) AS d, n * 100.0 / LAG(n) OVER (ORDER BY y) - 100 AS growth FROM (SELECT YEAR(vital_date) AS y, COUNT(*) AS n FROM vitals GROUP BY y) ORDER BY y;
SELECT patient_id, COUNT(*) OVER p AS k, MIN(vital_date) OVER p AS first, AVG(pulse) OVER (p ORDER BY vital_date ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS ma FROM vitals WINDOW p AS (PARTITION BY patient_id) ORDER BY patient_id, first, ma LIMIT 15;
SELECT DISTINCT patient_id, NTH_VALUE(major_icd9, 2) OVER (PARTITION BY patient_id ORDER BY diag_date, icd9 ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS second FROM diagnoses ORDER BY patient_id;
WITH x AS (SELECT patient_id, diag_date, CASE WHEN diag_date - LAG(diag_date) OVER (PARTITION BY patient_id ORDER BY diag_date, icd9) <= 60 THEN 0 ELSE 1 END AS new FROM diagnoses), y AS (SELECT patient_id, diag_date, SUM(new) OVER (PARTITION BY patient_id ORDER BY diag_date) AS ep FROM x)
SELECT patient_id, ep, MIN(diag_date) AS s, MAX(diag_date) AS e, COUNT(*) AS n FROM y GROUP BY patient_id, ep ORDER BY patient_id, ep;
SELECT e.encounter_id, (SELECT l.value_num FROM labs l WHERE l.patient_id = e.patient_id AND l.lab_date <= e.admit_date ORDER BY l.lab_date DESC, l.value_num LIMIT 1) AS prior FROM encounters e ORDER BY 1;
WITH ev AS (SELECT patient_id, diag_date AS d, 'dx' AS k FROM diagnoses UNION ALL SELECT patient_id, med_date, 'rx' FROM medications UNION ALL SELECT patient_id, lab_date, 'lab' FROM labs)
SELECT k, COUNT(*) AS n, COUNT(DISTINCT patient_id) AS p, MIN(d) AS first FROM ev GROUP BY k HAVING COUNT(*) > 0 ORDER BY k;
SELECT SUM(EXTRACT(EPOCH FROM discharge_date) - EXTRACT(EPOCH FROM admit_date)) / 86400 AS days FROM encounters;
SELECT DISTINCT g.zip, c.disease_class FROM demographics g JOIN diagnoses d ON g.patient_id = d.patient_id JOIN disease_classes c ON d.icd9 = c.icd9 WHERE g.gender = 'F' ORDER BY 1, 2;
SELECT g.patient_id, CASE WHEN EXISTS (SELECT * FROM encounters e WHERE e.patient_id = g.patient_id AND e.died = 1) THEN 'dead' WHEN g.patient_id IN (SELECT patient_id FROM encounters) THEN 'alive' ELSE 'unknown' END AS st FROM demographics g WHERE g.birth_year < 1940 ORDER BY 1;
WITH idx AS (SELECT patient_id, MIN(admit_date) AS t0 FROM encounters GROUP BY patient_id) SELECT CASE WHEN l.lab_date < i.t0 THEN 'before' WHEN l.lab_date <= i.t0 + 90 THEN 'early' ELSE 'late' END AS period, l.test_name, COUNT(*) AS n, ROUND(AVG(l.value_num), 2) AS m FROM labs l JOIN idx i ON i.patient_id = l.patient_id GROUP BY period, l.test_name ORDER BY period, l.test_name;
SELECT patient_id, med_date, LEAD(med_date, 1, DATE '2009-01-01') OVER (PARTITION BY patient_id, medication ORDER BY med_date, dosage) - med_date AS supply FROM medications ORDER BY 1, 2, 3;
SELECT site_id, ROUND(AVG(pulse), 2) AS m, ROUND(STDDEV(pulse), 2) AS sd, ROUND(STDDEV_POP(weight_kg), 1) AS sp, CAST(STDDEV_SAMP(systolic) AS DECIMAL(6,3)) AS c, FLOOR(STDDEV(pulse)) AS f, CEIL(STDDEV(pulse)) AS ce, TRUNC(STDDEV(pulse), 1) AS t, STDDEV(pulse)::INT AS i FROM vitals GROUP BY site_id ORDER BY site_id;
SELECT patient_id, ROUND(STDDEV(systolic), 1) AS sd, CAST(STDDEV_POP(systolic) AS INTEGER) AS i FROM vitals GROUP BY patient_id ORDER BY patient_id;
SELECT unit_type, COUNT(*) AS n, ROUND(AVG(apache_iv), 1) || ' (' || ROUND(STDDEV(apache_iv), 1) || ')' AS mean_sd FROM encounters GROUP BY unit_type ORDER BY unit_type;
SELECT arm, ROUND(SQRT(VAR_SAMP(followup_days) / COUNT(*)), 3) AS sem, ROUND(STDDEV(followup_days), -1) AS tens FROM survival GROUP BY arm ORDER BY arm;
SELECT e.encounter_id, (SELECT COUNT(*) FROM labs l WHERE l.patient_id = e.patient_id AND l.lab_date BETWEEN e.admit_date - 200 AND e.admit_date + 200) AS n, (SELECT AVG(value_num) FROM labs l WHERE l.patient_id = e.patient_id AND l.lab_date > e.admit_date - 300 AND l.lab_date < e.admit_date + 300 AND l.test_name = 'LDL') AS a FROM encounters e ORDER BY 1;
SELECT e.encounter_id, (SELECT v.systolic FROM vitals v WHERE v.patient_id = e.patient_id AND v.vital_date >= e.admit_date AND v.vital_date <= e.admit_date + 100 ORDER BY v.vital_date, v.systolic LIMIT 1) AS s FROM encounters e ORDER BY 1;
SELECT e.encounter_id, l.value_num, l.lab_date FROM encounters e LEFT JOIN LATERAL (SELECT value_num, lab_date FROM labs WHERE labs.patient_id = e.patient_id AND labs.lab_date <= e.admit_date AND lab_date >= e.admit_date - 100 ORDER BY lab_date DESC, value_num LIMIT 1) l ON l.value_num > 3 ORDER BY 1;
SELECT g.gender, COUNT(*) FROM demographics g JOIN encounters e ON e.patient_id = g.patient_id CROSS JOIN LATERAL (SELECT v.weight_kg AS w FROM vitals v WHERE v.patient_id = g.patient_id AND v.vital_date < e.discharge_date ORDER BY v.vital_date DESC, w LIMIT 1) x WHERE x.w > 60 GROUP BY g.gender ORDER BY 1;
SELECT e.encounter_id, v.weight_kg FROM encounters e ASOF LEFT JOIN (SELECT DISTINCT ON (patient_id, vital_date) patient_id, vital_date, weight_kg FROM vitals ORDER BY patient_id, vital_date, weight_kg) v ON e.patient_id = v.patient_id AND e.admit_date >= v.vital_date ORDER BY e.encounter_id;
WITH v AS (SELECT patient_id, vital_date AS d, MAX(pulse) AS p FROM vitals GROUP BY ALL), e AS (SELECT patient_id, admit_date AS d, encounter_id FROM encounters) SELECT encounter_id, d, p FROM e ASOF JOIN v USING (patient_id, d) ORDER BY ALL;
SELECT CAST(m.d AS DATE) AS month, (SELECT COUNT(*) FROM encounters e WHERE e.admit_date >= m.d AND e.admit_date < m.d + INTERVAL 1 MONTH) AS admissions FROM generate_series(DATE '2007-01-01', DATE '2007-12-01', INTERVAL 1 MONTH) AS m(d) ORDER BY 1;
WITH days AS (SELECT CAST(d AS DATE) AS day FROM range(DATE '2007-03-01', DATE '2007-03-11', INTERVAL 1 DAY) t(d)) SELECT day, COUNT(e.encounter_id) AS census FROM days LEFT JOIN encounters e ON day BETWEEN e.admit_date AND e.discharge_date GROUP BY day ORDER BY day;
PIVOT trips ON trip_type IN ('airport', 'city') USING SUM(fare) AS s, COUNT(*) AS n GROUP BY company ORDER BY company;
SELECT p.* FROM (SELECT site_id, gender, insurance, e.patient_id FROM encounters e JOIN demographics g USING (patient_id)) PIVOT (COUNT(DISTINCT patient_id) FOR gender IN ('F' AS women, 'M' AS men) insurance IN (1, 2) GROUP BY site_id) AS p ORDER BY site_id;
SELECT what, COUNT(*), AVG(v) FROM vitals UNPIVOT INCLUDE NULLS (v FOR what IN (systolic AS sbp, diastolic, pulse)) GROUP BY what ORDER BY 1;
SELECT patient_id, AVG(value_num) AS m FROM labs GROUP BY patient_id ORDER BY m DESC, patient_id LIMIT 10;
SELECT patient_id, STDDEV(systolic) AS sd FROM vitals GROUP BY patient_id ORDER BY sd DESC NULLS LAST, patient_id LIMIT 5;
SELECT CAST(AVG(cost) AS DECIMAL(10, 2)) AS a, CAST(SUM(cost) AS INTEGER) AS s, CAST(SUM(cost) AS DECIMAL(9, 1)) AS t, ROUND(AVG(cost))::INT AS r FROM costs;
SELECT site_id, CAST(100.0 * SUM(died) / COUNT(*) AS DECIMAL(5, 2)) AS pct, (100 * SUM(died) / COUNT(*))::INT AS p, CAST(AVG(apache_iv) AS INTEGER) AS ap, CAST(-AVG(apache_iv) AS INTEGER) AS am FROM encounters GROUP BY site_id ORDER BY site_id;
