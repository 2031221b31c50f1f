-- Covariance, correlation and regression over rows in which neither value is NULL.
SELECT COVAR_POP(a, b), COVAR_SAMP(a, b), CORR(a, b), REGR_COUNT(a, b), REGR_SLOPE(a, b), REGR_INTERCEPT(a, b), REGR_R2(a, b) FROM t;
SELECT CORR(a, d), CORR(d, b), REGR_SLOPE(d, a), REGR_INTERCEPT(d, a), REGR_R2(d, b), COVAR_SAMP(d, a) FROM t;
SELECT e, COVAR_SAMP(a, a) FROM t GROUP BY e;
SELECT REGR_AVGX(d, a), REGR_AVGY(d, a), REGR_SXX(d, a), REGR_SYY(d, a), REGR_SXY(d, a) FROM t;
SELECT CORR(a, 0 - a), REGR_R2(a, a), REGR_R2(5, a), REGR_SLOPE(2 * a + 1, a) FROM t;
SELECT CORR(a, b) FILTER (WHERE a > 0), COVAR_POP(a, d) FILTER (WHERE b > 100) FROM t;
SELECT CORR(x, y), REGR_SLOPE(y, x), REGR_COUNT(x, y) FROM none;
SELECT CORR(a, d) IS NULL, COVAR_POP(a, b) < COVAR_POP(a, d) FROM t;
