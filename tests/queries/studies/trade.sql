-- The tables of TPC-H, otherwise asked.

-- turnover of the year so far
SELECT YEAR(o_orderdate) AS y, MONTH(o_orderdate) AS m, SUM(o_totalprice) AS rev, SUM(SUM(o_totalprice)) OVER
    (PARTITION BY YEAR(o_orderdate) ORDER BY MONTH(o_orderdate)) AS ytd FROM orders GROUP BY y, m ORDER BY y, m;

-- the greatest orders, by QUALIFY
SELECT l_orderkey, SUM(l_extendedprice * (1 - l_discount)) AS rev, RANK() OVER (ORDER BY SUM(l_extendedprice * (1 -
    l_discount)) DESC) AS r FROM lineitem GROUP BY l_orderkey QUALIFY r <= 10 ORDER BY r, l_orderkey;

-- the longest gaps between orders
SELECT o_custkey, o_orderdate, o_orderdate - LAG(o_orderdate) OVER (PARTITION BY o_custkey ORDER BY o_orderdate,
    o_orderkey) AS gap FROM orders ORDER BY gap DESC NULLS LAST, o_custkey, o_orderdate LIMIT 10;

-- turnover by region and nation, with subtotals
SELECT r_name, n_name, SUM(l_extendedprice * (1 - l_discount)) AS rev FROM lineitem, supplier, nation, region WHERE
    l_suppkey = s_suppkey AND s_nationkey = n_nationkey AND n_regionkey = r_regionkey GROUP BY ROLLUP (r_name, n_name)
    ORDER BY r_name NULLS LAST, n_name NULLS LAST;

-- orders above their customer's average
SELECT COUNT(*) FROM orders o WHERE o_totalprice > 1.2 * (SELECT AVG(o_totalprice) FROM orders p WHERE p.o_custkey =
    o.o_custkey);

-- trade between nations
SELECT a.n_name AS seller, b.n_name AS buyer, COUNT(*) AS n, SUM(l_extendedprice * (1 - l_discount)) AS rev FROM
    lineitem JOIN orders ON o_orderkey = l_orderkey JOIN customer ON c_custkey = o_custkey JOIN supplier ON s_suppkey
    = l_suppkey JOIN nation a ON a.n_nationkey = s_nationkey JOIN nation b ON b.n_nationkey = c_nationkey WHERE
    a.n_nationkey <> b.n_nationkey GROUP BY 1, 2 ORDER BY rev DESC, seller, buyer LIMIT 5;

-- lines of an order, by priority
SELECT o_orderpriority, AVG(cnt) AS lines FROM (SELECT o_orderkey, o_orderpriority, COUNT(l_linenumber) AS cnt FROM
    orders LEFT JOIN lineitem ON l_orderkey = o_orderkey GROUP BY o_orderkey, o_orderpriority) t GROUP BY
    o_orderpriority ORDER BY 1;

-- a moving average
SELECT o_orderdate, COUNT(*) AS n, AVG(COUNT(*)) OVER (ORDER BY o_orderdate ROWS BETWEEN 6 PRECEDING AND CURRENT ROW)
    AS a FROM orders GROUP BY o_orderdate ORDER BY o_orderdate LIMIT 20;

-- lines that follow one another
SELECT l1.l_orderkey FROM lineitem l1 JOIN lineitem l2 ON l1.l_orderkey = l2.l_orderkey AND l2.l_linenumber =
    l1.l_linenumber + 1 WHERE l1.l_shipmode = 'AIR' AND l2.l_shipmode = 'MAIL' ORDER BY 1;

-- nations of customers or of suppliers alone
(SELECT c_nationkey FROM customer EXCEPT SELECT s_nationkey FROM supplier) UNION (SELECT s_nationkey FROM supplier
    EXCEPT SELECT c_nationkey FROM customer) ORDER BY 1;

-- profit by supplier
SELECT s_suppkey, SUM(l_extendedprice * (1 - l_discount) - ps_supplycost * l_quantity) AS profit FROM lineitem JOIN
    partsupp ON ps_partkey = l_partkey AND ps_suppkey = l_suppkey JOIN supplier ON s_suppkey = l_suppkey GROUP BY
    s_suppkey ORDER BY profit DESC, s_suppkey LIMIT 5;

-- set operations in a row
SELECT o_custkey FROM orders WHERE o_orderstatus = 'F' INTERSECT SELECT o_custkey FROM orders WHERE o_orderstatus =
    'O' EXCEPT SELECT o_custkey FROM orders WHERE o_orderstatus = 'P' ORDER BY 1 LIMIT 20;
