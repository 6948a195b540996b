-- The seats of a drawing. A line such as "lower:" begins a deck; rows before the first such line are on deck
-- "main". Every other line is a row, from front to back, with one character for each column:
--   s seat   b berth   r room   D driver   . nothing (aisle, door)
-- Seats are numbered from 1 in reading order, rows from 1 in each deck.
-- The drawing is one that api.layout_fault finds valid.
CREATE OR REPLACE FUNCTION api.layout_seats(layout text)
RETURNS TABLE (seat_no int, deck text, row_no int, column_no int, kind text)
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    line   text;
    symbol text;
BEGIN
    seat_no := 0;
    deck := 'main';
    row_no := 0;
    FOREACH line IN ARRAY string_to_array(layout, E'\n') LOOP
        line := api.plain_spaces(line);
        IF line = '' THEN
            CONTINUE;
        ELSIF right(line, 1) = ':' THEN
            deck := fold_name(rtrim(line, ':'));
            row_no := 0;
            CONTINUE;
        END IF;
        row_no := row_no + 1;
        FOR i IN 1 .. length(line) LOOP
            symbol := substr(line, i, 1);
            CONTINUE WHEN symbol IN ('.', 'D');
            kind := CASE symbol WHEN 's' THEN 'seat' WHEN 'b' THEN 'berth' WHEN 'r' THEN 'room' END;
            seat_no := seat_no + 1;
            column_no := i;
            RETURN NEXT;
        END LOOP;
    END LOOP;
END $$;

-- The number of the seats of a drawing.
CREATE OR REPLACE FUNCTION api.seat_count(layout text) RETURNS int
LANGUAGE sql IMMUTABLE
RETURN regexp_count(regexp_replace(layout, '[^\n]*:', '', 'g'), '[sbr]');   -- without the names of decks

-- A message about the first fault of a drawing: an unknown character, a deck that begins twice, or no seat. NULL: no fault.
CREATE OR REPLACE FUNCTION api.layout_fault(layout text) RETURNS text
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    line     text;
    deck     text := 'main';
    decks    text[] := '{}';   -- those that have a row
    has_seat boolean := false;
BEGIN
    FOREACH line IN ARRAY string_to_array(layout, E'\n') LOOP
        line := api.plain_spaces(line);
        IF right(line, 1) = ':' THEN
            deck := fold_name(rtrim(line, ':'));
            IF deck = ANY (decks) THEN
                RETURN format('The layout has the deck %s twice. Give each deck a name of its own.', api.quoted(deck));
            END IF;
        ELSIF line ~ '[^sbrD.]' THEN
            RETURN format('A layout has no symbol %s, in the row %s. Give the name of a layout, or draw rows with s (seat), '
                'b (berth), r (room), D (driver) and . (aisle, door).', api.quoted(substring(line FROM '[^sbrD.]')), api.quoted(line));
        ELSIF line <> '' THEN
            decks := decks || deck;
            has_seat := has_seat OR line ~ '[sbr]';
        END IF;
    END LOOP;
    RETURN CASE WHEN NOT has_seat THEN
        format('The layout has no seat: "%s". Give the name of a layout, or draw rows such as ss.ss, one on each line.', layout) END;
END $$;
