-- Row values: compared as a whole, in lists, and among the rows of a subquery.
SELECT id, (k, b) = (3, 4), (k, b) <> (3, NULL), (b, a) < (5, 3), (b, d) >= (5, NULL), (a, b) > (b, a) FROM t;
SELECT id FROM t WHERE (a, b) IN ((1, 2), (3, 4), (0, NULL), (9, 1)) OR (e, f) IN (('low', TRUE), ('Mid', NULL));
SELECT id, (a, b) NOT IN ((1, 2), (3, 4)), (a, b) BETWEEN (0, 5) AND (5, 1), (e, b) IS DISTINCT FROM ('low', NULL) FROM t;
SELECT t.id, w.z FROM t JOIN w ON (t.k, t.a) = (w.k, w.z);
SELECT t.id FROM t WHERE (g, d, b) < (DATE '2021-01-01', 5, 3);
SELECT id, (k, a) IN (SELECT k, z FROM w), (k, a) NOT IN (SELECT k, z FROM w WHERE q > 0), (k, b) NOT IN (SELECT k, q FROM w) FROM t;
SELECT id, (b, k) NOT IN (SELECT q, k FROM w WHERE z > 3), (k, b, e) NOT IN (SELECT uid, x, e FROM u) FROM t;
SELECT id, (k, a) = ANY (SELECT k, z FROM w), (k, a) <> ALL (SELECT k, q FROM w), (k, a) NOT IN (SELECT x, y FROM none) FROM t;
SELECT id FROM t WHERE (k, a) NOT IN (SELECT k, z FROM w WHERE k IS NOT NULL) AND (k, b) IN (SELECT k, q FROM w UNION SELECT k, a FROM t);
