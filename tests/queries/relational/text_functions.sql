-- of dictionaries and constants, in public
SELECT i, REPLACE(kind, 'green', 'x'), REPLACE(kind, 'e', ''), SPLIT_PART(kind, ' ', 2), TRANSLATE(kind, 'dg', 'D'), REVERSE(kind), REPEAT(kind, 2) FROM words;
SELECT i, LPAD(kind, 6, '*'), RPAD(kind, 12, 'ab'), OVERLAY(kind PLACING '_' FROM 2), OVERLAY(kind, 'zz', 1, 3), TRIM(kind, 'gd') FROM words;
SELECT i, POSITION('r' IN kind), STRPOS(kind, 'green'), INSTR('a green one', kind), ASCII(kind), UNICODE(kind), ORD(kind), LEVENSHTEIN(kind, 'greed'), BIT_LENGTH(kind) FROM words;
SELECT i, REGEXP_MATCHES(kind, '^[dg]'), kind ~ 'e+', kind SIMILAR TO '(red|green)', REGEXP_FULL_MATCH(kind, '\w+'), kind !~ 'r' FROM words;
SELECT i, REGEXP_EXTRACT(kind, '[a-e]+'), REGEXP_EXTRACT(kind, '(\w+) (\w+)', 2), REGEXP_REPLACE(kind, '[aeiou]', '_', 'g'), REGEXP_REPLACE(kind, '(.)r', '\1\1') FROM words;
SELECT i, MD5(kind), SHA256(kind), HEX(kind), REPLACE('a.b.c', '.', '-'), SPLIT_PART('81 MG', ' ', 1)::INTEGER + i, LPAD('7', 3, '0'), REGEXP_EXTRACT('x12', '\d+') FROM words;
SELECT i, REPEAT('ab', i), CHR(i + 65), LEVENSHTEIN(kind, owner), HAMMING(LEFT(kind, 2), 'gr'), REPLACE(kind, NULL, 'x'), LPAD(kind, NULL, 'x') FROM words;
SELECT SPLIT_PART(kind, ' ', 1) AS first, COUNT(*) FROM words WHERE REGEXP_MATCHES(kind, '^(dark )?green$', 'i') OR POSITION(' ' IN kind) > 0 GROUP BY first;
-- of secret text
SELECT i, POSITION('a' IN b), STRPOS(f,'es'), INSTR(c,'cd'), POSITION('abcdefghijklmnop' IN b), POSITION('' IN c), POSITION('é' IN c), POSITION('  ' IN f) FROM words;
SELECT i, SPLIT_PART(f,' ',1), SPLIT_PART(f,' ',2), SPLIT_PART(f,' ',-1), SPLIT_PART(f,' ',-3), SPLIT_PART(f, ' ', 0), SPLIT_PART(c,'',2), SPLIT_PART(c,'',-2), SPLIT_PART(f,'  ',2) FROM words;
SELECT i, SPLIT_PART(raw,'ü',1), SPLIT_PART(raw,'é',2), SPLIT_PART(b,'é',1), SPLIT_PART(b,'é',2), SPLIT_PART(a,'a',2), SPLIT_PART(e,'ab',3), SPLIT_PART(d,'abcdefghijklmnopqrst',-1) FROM words;
SELECT i, REPLACE(f,' ',''), REPLACE(f,'e','E'), REPLACE(f,'re',''), REPLACE(f,'s','(ss)'), REPLACE(f,'ab','b'), REPLACE(raw,'ü','ue'), REPLACE(c,'a','ä'), REPLACE(b,'','x'), REPLACE(a,'a','bb') FROM words;
SELECT i, TRANSLATE(f,'aeiou','AEI'), TRANSLATE(c,'ab ',''), TRANSLATE(raw,'zZ','yY'), TRANSLATE(b,'aé','xy'), TRANSLATE(f,'abcdefghijk','') FROM words;
SELECT i, LPAD(b,10,'0'), LPAD(f,5,'x'), LPAD(a,3,'<>'), RPAD(b,10,'.'), RPAD(f,45,'ab'), RPAD(c,3,'x'), LPAD(d,0,'x'), RPAD(a,2,'yz') FROM words;
SELECT i, REVERSE(b), REVERSE(f), REPEAT(b,3), REPEAT(a,7), REPEAT(e,1), REPEAT(e,0), REPEAT(kind,2) FROM words;
SELECT i, ASCII(b), UNICODE(f), ORD(a), ASCII(e) + 1, BIT_LENGTH(raw), OVERLAY(b PLACING 'XY' FROM 2), OVERLAY(f,'--',3,5), OVERLAY(c,'zz',20), OVERLAY(a, 'q', 1) FROM words;
SELECT i, CONCAT_WS(', ', b, c, d), CONCAT_WS('-', b, c), CONCAT_WS('', a, b), CONCAT_WS('/', d, b), CONCAT_WS(',', NULL, kind), CONCAT_WS(NULL, b, c), CONCAT_WS('é', raw, kind, NULL), CONCAT_WS(':', i, b, d, e) FROM words;
SELECT SPLIT_PART(f,' ',1) AS x, COUNT(*) FROM words GROUP BY x ORDER BY x;
SELECT i, TRY_CAST(SPLIT_PART(c,'%',1) AS INTEGER), TRY_CAST(REPLACE(d,'% off','') AS INTEGER) + 1 FROM words;
SELECT i FROM words WHERE POSITION('b' IN b) > 1 OR REPLACE(e,' ','') = 'darkgreen';
SELECT i, REGEXP_MATCHES(f,'^[a-s]'), f ~ 'e', REGEXP_MATCHES(b,'^abc$'), b SIMILAR TO 'a.c', d ~ '(green|abc)$', f ~ '\d', f ~ '[0-9]+[A-D]' FROM words;
SELECT i, REGEXP_MATCHES(f,'(special|quick) +p?'), REGEXP_MATCHES(b,'^[A-Z]{3}$'), REGEXP_MATCHES(b, 'ABC', 'i'), e ~ '^(\w+ )?\w+$', c ~ '.*%$', c !~ '^$', d SIMILAR TO '[a-z ]*' FROM words;
SELECT i, REGEXP_FULL_MATCH(f,'\s*both\s+sides\s*'), f ~ '(.)(.).*', e ~ 'ab(ab)*$', e ~ '', f ~ 'x?', a ~ '^.$', b ~ '^|b', b ~ 'a|b$', f SIMILAR TO '' FROM words;
SELECT d ~ '^[a-f]+$' AS x, COUNT(*) FROM words WHERE f ~ '[aeiou].*[aeiou]' OR f IS NULL GROUP BY x;
