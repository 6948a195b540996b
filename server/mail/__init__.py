"""Mails and short messages (SMS) to travellers, sent after the commit from rows of the outbox.

templates   subjects and texts                               booking_text   a booking as labels and values
calendar_entry  a journey for calendars
messages    a mail with its attachments                      smtp           delivers a mail to a server
mail_files  mails as files, without a mail server            sms            sends a text by HTTP
carriers    send the messages of the outbox                  bounces        undeliverable mails
bounce_command  the subcommand bounce                        delivery       what can become of a message
"""
