-- The heart data, with its hospitals as owners.

-- disease by decades and sex
SELECT age // 10 * 10 AS decade, sex, COUNT(*) AS n, SUM(CAST(num > 0 AS INTEGER)) AS sick, MEDIAN(chol) FILTER (WHERE
    chol > 0) AS chol FROM heart GROUP BY decade, sex ORDER BY decade, sex;

-- regressions of each hospital
SELECT owner, CORR(age, thalach) AS r, REGR_SLOPE(thalach, age) AS b, REGR_INTERCEPT(thalach, age) AS a FROM heart
    GROUP BY owner ORDER BY owner;

-- quarters by cholesterol
WITH q AS (SELECT NTILE(4) OVER (ORDER BY chol, age, thalach, trestbps) AS quart, chol, num FROM heart WHERE chol > 0)
    SELECT quart, MIN(chol), MAX(chol), AVG(num) FROM q GROUP BY quart ORDER BY quart;

-- women and men of each age
SELECT AVG(1.0 * (b.n - a.n)) FROM (SELECT age, COUNT(*) AS n FROM heart WHERE sex = 0 GROUP BY age) a JOIN (SELECT
    age, COUNT(*) AS n FROM heart WHERE sex = 1 GROUP BY age) b USING (age);

-- the greatest values of each hospital
SELECT owner, age, chol, RANK() OVER (PARTITION BY owner ORDER BY chol DESC NULLS LAST) AS r FROM heart QUALIFY r <= 2
    ORDER BY owner, r, age;

-- the mean distance from the median
SELECT AVG(ABS(age - m)) AS mad FROM heart, (SELECT MEDIAN(age) AS m FROM heart);

-- the same values in another hospital
SELECT COUNT(*) FROM heart a WHERE EXISTS (SELECT 1 FROM heart b WHERE b.owner <> a.owner AND b.age = a.age AND b.chol
    = a.chol AND a.chol > 0);

-- measured and expected heart rates
SELECT age, AVG(thalach) AS m, 208 - 0.7 * age AS expected, AVG(thalach) - (208 - 0.7 * age) AS diff FROM heart GROUP
    BY age HAVING COUNT(thalach) >= 20 ORDER BY age;
