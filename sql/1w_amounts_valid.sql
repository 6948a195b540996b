-- Validates the constraints on amounts, which earlier migrations added as NOT VALID. VALIDATE CONSTRAINT reads the whole table, but
-- its lock lets other sessions read and write it.

INSERT INTO migrations (name) VALUES ('1w_amounts_valid');

ALTER TABLE passengers VALIDATE CONSTRAINT fare_is_amount;
ALTER TABLE payments VALIDATE CONSTRAINT payment_is_amount;
ALTER TABLE exchanges VALIDATE CONSTRAINT exchanged_is_amount;
ALTER TABLE exchanges VALIDATE CONSTRAINT kept_with_amount;
ALTER TABLE route_table VALIDATE CONSTRAINT fare_is_amount;
ALTER TABLE bus_info VALIDATE CONSTRAINT exchange_fee_is_amount;
ALTER TABLE promo_codes VALIDATE CONSTRAINT discount_is_amount;
ALTER TABLE agents VALIDATE CONSTRAINT credit_limit_is_amount;
ALTER TABLE settlements VALIDATE CONSTRAINT settled_is_amount;
ALTER TABLE settlements VALIDATE CONSTRAINT commission_is_a_part;

-- Only migrations of this version use it.
-- squawk-ignore ban-drop-function
DROP FUNCTION alter_with_dependents(regclass, text[], text);
