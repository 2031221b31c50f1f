-- of dictionaries and constants, in public
SELECT i, REPLACE(kind, 'green', 'x'), REPLACE(kind, 'e', ''), SPLIT_PART(kind, ' ', 2), TRANSLATE(kind, 'dg', 'D'), REVERSE(kind), REPEAT(kind, 2) FROM words;
SELECT i, LPAD(kind, 6, '*'), RPAD(kind, 12, 'ab'), OVERLAY(kind PLACING '_' FROM 2), OVERLAY(kind, 'zz', 1, 3), TRIM(kind, 'gd') FROM words;
SELECT i, POSITION('r' IN kind), STRPOS(kind, 'green'), INSTR('a green one', kind), ASCII(kind), UNICODE(kind), ORD(kind), LEVENSHTEIN(kind, 'greed'), BIT_LENGTH(kind) FROM words;
SELECT i, REGEXP_MATCHES(kind, '^[dg]'), kind ~ 'e+', kind SIMILAR TO '(red|green)', REGEXP_FULL_MATCH(kind, '\w+'), kind !~ 'r' FROM words;
SELECT i, REGEXP_EXTRACT(kind, '[a-e]+'), REGEXP_EXTRACT(kind, '(\w+) (\w+)', 2), REGEXP_REPLACE(kind, '[aeiou]', '_', 'g'), REGEXP_REPLACE(kind, '(.)r', '\1\1') FROM words;
SELECT i, MD5(kind), SHA256(kind), HEX(kind), REPLACE('a.b.c', '.', '-'), SPLIT_PART('81 MG', ' ', 1)::INTEGER + i, LPAD('7', 3, '0'), REGEXP_EXTRACT('x12', '\d+') FROM words;
SELECT i, REPEAT('ab', i), CHR(i + 65), LEVENSHTEIN(kind, owner), HAMMING(LEFT(kind, 2), 'gr'), REPLACE(kind, NULL, 'x'), LPAD(kind, NULL, 'x') FROM words;
SELECT SPLIT_PART(kind, ' ', 1) AS first, COUNT(*) FROM words WHERE REGEXP_MATCHES(kind, '^(dark )?green$', 'i') OR POSITION(' ' IN kind) > 0 GROUP BY first;
