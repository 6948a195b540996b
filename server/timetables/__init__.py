"""Timetables in files: the subcommand `timetable` of the server.

files       the text of a file; its values with their lines
yaml_files  reads and writes YAML              csv_files  reads and writes CSV
reader      the documents in files             export     the documents of the database
changes     puts documents into the database   command    the command line
"""
