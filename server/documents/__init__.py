"""Replies as files: CSV for spreadsheets, PDF for paper.

formats       the formats of each method       csv_table     rows as CSV, in which no cell is a formula
manifest_csv  a manifest as CSV                manifest_pdf  a manifest as PDF, for the conductor
ticket_pdf    a ticket as PDF                  pdf_text      text in PDF files
fonts         the fonts of PDF files           sales_csv     sales as CSV
settlement_csv  the payments of a settlement as CSV   bank_transfers  reads a bank's file of transfers
invoices_csv  invoices as CSV                  invoice_pdf   invoices as PDF
accounts_csv  accounts of money as CSV
"""
