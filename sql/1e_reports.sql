-- A schema for programs that make reports: sql/28_reports.sql has its views, which have no personal data.

INSERT INTO migrations (name) VALUES ('1e_reports');

CREATE SCHEMA busware_reports;
