-- The seats of a drawing. Lines; "lower:" (a word and a colon) begins a deck, without one all is the
-- deck "main"; every other line is a row, from the driver's end to the back, a character a column:
--   s seat   b berth   r room   D driver   . nothing (aisle, door)
-- Seats are numbered from 1 in reading order; rows count within their deck.
-- Raises an exception on any other character, and on a drawing without a seat.
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
    FOREACH line IN ARRAY string_to_array(btrim(layout, E'\r\n\t '), E'\n') LOOP
        line := btrim(line, E'\r\t ');
        IF line = '' THEN
            CONTINUE;
        ELSIF right(line, 1) = ':' THEN
            deck := lower(rtrim(line, ':'));
            row_no := 0;
            CONTINUE;
        END IF;
        row_no := row_no + 1;
        FOR i IN 1 .. length(line) LOOP
            symbol := substr(line, i, 1);
            CONTINUE WHEN symbol IN ('.', 'D');
            kind := CASE symbol WHEN 's' THEN 'seat' WHEN 'b' THEN 'berth' WHEN 'r' THEN 'room' END;
            IF kind IS NULL THEN
                RAISE EXCEPTION 'A layout has no symbol "%", in the row "%".', symbol, line
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
