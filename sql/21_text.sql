-- Texts that people write: white space, and characters that cannot be seen.

-- The text with a space for each character that looks like one, without the marks that take no space, and without
-- spaces at its ends. Line ends stay.
CREATE OR REPLACE FUNCTION api.plain_spaces(text text) RETURNS text
LANGUAGE sql IMMUTABLE
RETURN btrim(translate(text,   -- the last five characters have no counterpart, so they are deleted
    E'\t\x0b\f\r\u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000'
    || E'\u200b\u200e\u200f\u2060\ufeff', repeat(' ', 23)));

-- The characters that cannot be seen, apart from spaces, as a part of a bracket expression: the control characters, and
-- those that Unicode calls Default_Ignorable_Code_Point.
CREATE OR REPLACE FUNCTION api.invisible() RETURNS text
LANGUAGE sql IMMUTABLE
RETURN '\x01-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u2800'
    || '\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff';

-- A text in quotation marks, with the code of each character that cannot be seen, such as \u200d.
CREATE OR REPLACE FUNCTION api.quoted(text text) RETURNS text
LANGUAGE sql IMMUTABLE
RETURN (
    SELECT '"' || coalesce(string_agg(CASE WHEN symbol ~ ('[\u0085\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000' || api.invisible() || ']')
        THEN '\u' || lpad(to_hex(ascii(symbol)), 4, '0') ELSE symbol END, '' ORDER BY n), '') || '"'
    FROM string_to_table(text, NULL) WITH ORDINALITY AS s (symbol, n)
);
