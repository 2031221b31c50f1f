-- The UCI heart disease data: one table, whose rows four hospitals bring. What is declared here is public; CHECKs are
-- what the columns mean, wide enough for every hospital. A column that some hospital did not always measure is nullable.
CREATE TABLE heart (
    age      SMALLINT     NOT NULL CHECK (age BETWEEN 0 AND 120),   -- years
    sex      TINYINT      NOT NULL CHECK (sex BETWEEN 0 AND 1),     -- 1 male, 0 female
    cp       TINYINT      NOT NULL CHECK (cp BETWEEN 1 AND 4),      -- chest pain: 1 typical angina … 4 asymptomatic
    trestbps SMALLINT              CHECK (trestbps BETWEEN 0 AND 300), -- resting blood pressure, mm Hg
    chol     SMALLINT              CHECK (chol BETWEEN 0 AND 1000), -- serum cholesterol, mg/dl; 0: not measured
    fbs      TINYINT               CHECK (fbs BETWEEN 0 AND 1),     -- fasting blood sugar above 120 mg/dl
    restecg  TINYINT               CHECK (restecg BETWEEN 0 AND 2), -- resting electrocardiogram
    thalach  SMALLINT              CHECK (thalach BETWEEN 0 AND 250), -- highest heart rate
    exang    TINYINT               CHECK (exang BETWEEN 0 AND 1),   -- angina that exercise induced
    oldpeak  DECIMAL(3,2)          CHECK (oldpeak BETWEEN -5 AND 9), -- ST depression
    slope    TINYINT               CHECK (slope BETWEEN 1 AND 3),   -- of the peak ST segment
    ca       TINYINT               CHECK (ca BETWEEN 0 AND 3),      -- vessels coloured by fluoroscopy
    thal     TINYINT               CHECK (thal BETWEEN 3 AND 7),    -- 3 normal, 6 fixed defect, 7 reversible defect
    num      TINYINT      NOT NULL CHECK (num BETWEEN 0 AND 4)      -- diagnosis; above 0 is disease
);
