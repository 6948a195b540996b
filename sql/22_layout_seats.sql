-- The seats of a drawing. A line such as "lower:" begins a deck; rows before the first such line are on deck
-- "main". Every other line is a row, from front to back, with one character for each column:
--   s seat   b berth   r room   D driver   . nothing (aisle, door)
-- Seats are numbered from 1 in reading order, rows from 1 in each deck.
-- Raises an exception for any other character, for a deck that begins twice, and for a drawing without a seat.
CREATE OR REPLACE FUNCTION api.layout_seats(layout text)
RETURNS TABLE (seat_no int, deck text, row_no int, column_no int, kind text)
LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    line   text;
    symbol text;
    decks  text[] := '{}';   -- those that have a row
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
            IF deck = ANY (decks) THEN
                RAISE EXCEPTION 'The layout has the deck % twice.', api.quoted(deck)
                    USING HINT = 'Give each deck a name of its own.';
            END IF;
            row_no := 0;
            CONTINUE;
        END IF;
        IF row_no = 0 THEN
            decks := decks || deck;
        END IF;
        row_no := row_no + 1;
        FOR i IN 1 .. length(line) LOOP
            symbol := substr(line, i, 1);
            CONTINUE WHEN symbol IN ('.', 'D');
            kind := CASE symbol WHEN 's' THEN 'seat' WHEN 'b' THEN 'berth' WHEN 'r' THEN 'room' END;
            IF kind IS NULL THEN
                RAISE EXCEPTION 'A layout has no symbol %, in the row %.', api.quoted(symbol), api.quoted(line)
                    USING HINT = 'Name a row of table layouts, or draw rows with s (seat), b (berth), r (room), D (driver) '
                        'and . (aisle, door).';
            END IF;
            seat_no := seat_no + 1;
            column_no := i;
            RETURN NEXT;
        END LOOP;
    END LOOP;
    IF seat_no = 0 THEN
        RAISE EXCEPTION 'The layout has no seat: "%".', layout
            USING HINT = 'Name a row of table layouts, or draw rows such as ss.ss, one a line.';
    END IF;
END $$;
