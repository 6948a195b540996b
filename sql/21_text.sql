-- Texts that people write: white space, and characters that cannot be seen.

-- Replace each character that looks like a space by a space, delete the marks that have no width, and delete the spaces at
-- both ends. \n stays.
CREATE OR REPLACE FUNCTION api.plain_spaces(text text) RETURNS text
LANGUAGE sql IMMUTABLE
RETURN btrim(translate(text,   -- the last five characters have no counterpart, so they are deleted
    E'\t\x0b\f\r\u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000'
    || E'\u200b\u200e\u200f\u2060\ufeff', repeat(' ', 23)));

-- The next functions return characters in the form that the inside of a bracket expression of a regular expression has.

-- The control and format characters that the server removes from the texts of a request. It keeps the joiners \u200c
-- and \u200d where they have a meaning, and line ends where a text may have lines.
CREATE OR REPLACE FUNCTION api.format_characters() RETURNS text
LANGUAGE sql IMMUTABLE
RETURN '\x01-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff0-\ufffb'
    || '\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e007f';

-- The characters that cannot be seen, apart from spaces and joiners: besides the format characters, those that Unicode
-- calls Default_Ignorable_Code_Point, and a blank symbol.
CREATE OR REPLACE FUNCTION api.invisible_except_joiners() RETURNS text
LANGUAGE sql IMMUTABLE
RETURN api.format_characters() || '\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0080-\U000e0fff';

-- The characters that cannot be seen, apart from spaces.
CREATE OR REPLACE FUNCTION api.invisible() RETURNS text
LANGUAGE sql IMMUTABLE
RETURN api.invisible_except_joiners() || '\u200c\u200d';

-- The signs after which a joiner changes how a word looks: those of combining class 9 in Unicode 16.
CREATE OR REPLACE FUNCTION api.viramas() RETURNS text
LANGUAGE sql IMMUTABLE
RETURN '\u094d\u09cd\u0a4d\u0acd\u0b4d\u0bcd\u0c4d\u0ccd\u0d3b\u0d3c\u0d4d\u0dca\u0e3a\u0eba\u0f84'
    || '\u1039\u103a\u1714\u1715\u1734\u17d2\u1a60\u1b44\u1baa\u1bab\u1bf2\u1bf3\u2d7f\ua806\ua82c\ua8c4'
    || '\ua953\ua9c0\uaaf6\uabed\U00010a3f\U00011046\U00011070\U0001107f\U000110b9\U00011133\U00011134'
    || '\U000111c0\U00011235\U000112ea\U0001134d\U000113ce-\U000113d0\U00011442\U000114c2\U000115bf'
    || '\U0001163f\U000116b6\U0001172b\U00011839\U0001193d\U0001193e\U000119e0\U00011a34\U00011a47\U00011a99'
    || '\U00011c3f\U00011d44\U00011d45\U00011d97\U00011f41\U00011f42\U0001612f';

-- What can be seen of a username: two usernames that differ only in other characters look the same.
CREATE OR REPLACE FUNCTION api.visible(username text) RETURNS text
LANGUAGE sql IMMUTABLE
RETURN regexp_replace(username, format('[%s]|(?<![%s])[\u200c\u200d]', api.invisible_except_joiners(), api.viramas()), '', 'g');

-- A text in quotation marks, with the code of each character that cannot be seen, such as \u200d.
CREATE OR REPLACE FUNCTION api.quoted(text text) RETURNS text
LANGUAGE sql IMMUTABLE
RETURN (
    SELECT '"' || coalesce(string_agg(CASE WHEN symbol ~ ('[\u0085\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000' || api.invisible() || ']')
        THEN CASE WHEN ascii(symbol) < 65536 THEN '\u' || lpad(to_hex(ascii(symbol)), 4, '0')
                                             ELSE '\U' || lpad(to_hex(ascii(symbol)), 8, '0') END
        ELSE symbol END, '' ORDER BY n), '') || '"'
    FROM string_to_table(text, NULL) WITH ORDINALITY AS s (symbol, n)
);
