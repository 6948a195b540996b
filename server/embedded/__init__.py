"""The embedded PostgreSQL: its data folder (data_folder) and its process (process)."""
