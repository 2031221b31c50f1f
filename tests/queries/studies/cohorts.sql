-- Cohorts, comorbidity, who is where, and who is not.

-- an infection that comes back: each diagnosis with the next one of its patient
WITH rcd AS (
  SELECT patient_id, diag_date, ROW_NUMBER() OVER (PARTITION BY patient_id ORDER BY diag_date) AS r
  FROM diagnoses WHERE icd9 = '008.45'
)
SELECT DISTINCT a.patient_id FROM rcd a JOIN rcd b ON a.patient_id = b.patient_id AND b.r = a.r + 1
WHERE b.diag_date - a.diag_date BETWEEN 15 AND 200 ORDER BY a.patient_id;

-- patients with heart disease who got aspirin afterwards
SELECT COUNT(DISTINCT d.patient_id) FROM diagnoses d WHERE d.major_icd9 = '414'
AND EXISTS (SELECT 1 FROM medications m WHERE m.patient_id = d.patient_id AND m.medication ILIKE '%aspirin%' AND
    m.med_date >= d.diag_date);

-- the same by sex and race, of a cohort that may have no prescription
WITH hd AS (SELECT patient_id, MIN(diag_date) AS first FROM diagnoses WHERE major_icd9 IN ('414', '428') GROUP BY
    patient_id)
SELECT g.gender, g.race, COUNT(DISTINCT hd.patient_id) AS patients, COUNT(DISTINCT m.patient_id) AS on_aspirin,
       COUNT(DISTINCT m.patient_id) * 100.0 / COUNT(DISTINCT hd.patient_id) AS pct
FROM hd JOIN demographics g ON g.patient_id = hd.patient_id
LEFT JOIN medications m ON m.patient_id = hd.patient_id AND UPPER(m.medication) LIKE 'ASPIRIN%' AND m.med_date >=
    hd.first
GROUP BY g.gender, g.race ORDER BY g.gender, g.race;

-- a comorbidity score
WITH c AS (SELECT patient_id, MAX(CASE WHEN major_icd9 IN ('410', '412') THEN 1 ELSE 0 END) AS mi, MAX(CASE WHEN
    major_icd9 = '428' THEN 1 ELSE 0 END) AS chf, MAX(CASE WHEN major_icd9 = '250' THEN 1 ELSE 0 END) AS dm, MAX(CASE
    WHEN major_icd9 BETWEEN '580' AND '586' THEN 2 ELSE 0 END) AS renal, MAX(CASE WHEN LEFT(icd9, 2) = '49' THEN 1
    ELSE 0 END) AS copd FROM diagnoses GROUP BY patient_id)
SELECT mi + chf + dm + renal + copd AS charlson, COUNT(*) AS n FROM c GROUP BY charlson ORDER BY charlson;

-- which diseases come together
WITH f AS (SELECT patient_id, BOOL_OR(major_icd9 = '250') AS dm, BOOL_OR(major_icd9 = '401') AS htn, BOOL_OR(icd9 LIKE
    '428%') AS chf FROM diagnoses GROUP BY patient_id)
SELECT dm, htn, chf, COUNT(*) AS n FROM f GROUP BY ALL ORDER BY ALL;

-- how many diagnoses patients have
SELECT n_dx, COUNT(*) AS patients FROM (SELECT patient_id, COUNT(DISTINCT major_icd9) AS n_dx FROM diagnoses GROUP BY
    patient_id) GROUP BY n_dx ORDER BY n_dx;

-- patients of two hospitals
SELECT patient_id, COUNT(*) AS stays, MIN(admit_date) AS first, MAX(discharge_date) AS last FROM encounters GROUP BY
    patient_id HAVING COUNT(DISTINCT site_id) >= 2 AND MAX(discharge_date) - MIN(admit_date) > 100 ORDER BY
    patient_id;

-- patients of one hospital
SELECT site_id, COUNT(*) FROM (SELECT patient_id, MIN(site_id) AS site_id FROM encounters GROUP BY patient_id HAVING
    MIN(site_id) = MAX(site_id)) x GROUP BY site_id ORDER BY site_id;

-- patients without a test, by a join
SELECT g.zip, COUNT(*) AS n FROM demographics g LEFT JOIN (SELECT DISTINCT patient_id FROM labs WHERE test_name =
    'LDL') l ON l.patient_id = g.patient_id WHERE l.patient_id IS NULL GROUP BY g.zip ORDER BY n DESC, g.zip;

-- the same of rows that repeat patients
SELECT COUNT(*) FROM demographics g LEFT JOIN labs l ON l.patient_id = g.patient_id AND l.test_name = 'HBA1C' WHERE
    l.patient_id IS NULL;

-- patients without vital signs
SELECT COUNT(*) AS no_vitals FROM demographics WHERE patient_id NOT IN (SELECT patient_id FROM vitals);

-- a cohort, its index dates, a baseline, strata
WITH cohort AS (SELECT DISTINCT patient_id FROM diagnoses WHERE major_icd9 = '250'), idx AS (SELECT e.patient_id,
    MIN(e.admit_date) AS index_date FROM encounters e JOIN cohort c ON c.patient_id = e.patient_id GROUP BY
    e.patient_id), base AS (SELECT l.patient_id, AVG(l.value_num) AS a1c FROM labs l JOIN idx i ON i.patient_id =
    l.patient_id WHERE l.test_name = 'HBA1C' AND l.lab_date < i.index_date GROUP BY l.patient_id), strata AS (SELECT
    i.patient_id, CASE WHEN b.a1c IS NULL THEN 'none' WHEN b.a1c < 6.5 THEN 'low' ELSE 'high' END AS s FROM idx i LEFT
    JOIN base b USING (patient_id))
SELECT s, COUNT(*) AS n FROM strata GROUP BY s ORDER BY s;

-- patients with a diagnosis and without a test
SELECT g.gender, COUNT(*) FROM demographics g WHERE EXISTS (SELECT 1 FROM diagnoses d WHERE d.patient_id =
    g.patient_id AND d.major_icd9 = '250') AND NOT EXISTS (SELECT 1 FROM labs l WHERE l.patient_id = g.patient_id AND
    l.test_name = 'HBA1C' AND l.lab_date >= '2007-01-01') GROUP BY g.gender ORDER BY g.gender;

-- tests of either cohort
WITH dm AS (SELECT patient_id FROM diagnoses WHERE icd9 LIKE '250.%' GROUP BY patient_id HAVING COUNT(*) >= 2) SELECT
    test_name, COUNT(*), AVG(value_num) FROM labs WHERE patient_id IN (SELECT patient_id FROM dm) OR patient_id IN
    (SELECT patient_id FROM cdiff_cohort) GROUP BY test_name ORDER BY test_name;

-- how many drugs patients take
SELECT CASE WHEN n >= 5 THEN '5+' WHEN n >= 3 THEN '3-4' ELSE '1-2' END AS bucket, COUNT(*) FROM (SELECT patient_id,
    COUNT(DISTINCT LOWER(medication)) AS n FROM medications GROUP BY patient_id) t GROUP BY bucket ORDER BY bucket;

-- codes with their names
SELECT v.name, COUNT(*) AS n FROM diagnoses d JOIN (VALUES ('250', 'diabetes'), ('401', 'hypertension'), ('428',
    'heart failure')) AS v(code, name) ON v.code = d.major_icd9 GROUP BY v.name ORDER BY v.name;

-- codes with their weights
WITH lookup(code, w) AS (VALUES ('250', 1), ('428', 2), ('585', 3)) SELECT score, COUNT(*) AS n FROM (SELECT
    d.patient_id, SUM(l.w) AS score FROM diagnoses d JOIN lookup l ON l.code = d.major_icd9 GROUP BY d.patient_id)
    GROUP BY score ORDER BY score;

-- drugs that are prescribed more than the average one
SELECT medication, COUNT(*) AS n FROM medications GROUP BY medication HAVING COUNT(*) > (SELECT AVG(c) FROM (SELECT
    COUNT(*) AS c FROM medications GROUP BY medication) t) ORDER BY n DESC, medication;
