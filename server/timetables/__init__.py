"""Timetables in files: the subcommand `timetable` of the server.

files       the text of a file; its nodes, each with its line; faults
yaml_files  reads and writes YAML     csv_files  reads and writes CSV
documents   nodes → the documents of places and services, by their types
export      the documents of the database
command     the command line: export
"""
