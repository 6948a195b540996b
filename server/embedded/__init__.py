"""The embedded PostgreSQL: its data folder (data_folder), its process (process), and its programs (psql)."""
