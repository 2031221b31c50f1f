-- A linear score of heart disease, from an owner of its own: its one row of weights is as secret as the patients' rows.
CREATE TABLE model (
    b0       DECIMAL(7,5) NOT NULL CHECK (b0 BETWEEN -9 AND 9),
    age      DECIMAL(6,5) NOT NULL,
    sex      DECIMAL(6,5) NOT NULL,
    cp       DECIMAL(6,5) NOT NULL,
    chol     DECIMAL(6,5) NOT NULL,
    oldpeak  DECIMAL(6,5) NOT NULL
);
