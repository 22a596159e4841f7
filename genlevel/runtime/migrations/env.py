"""Alembic's entry point, shared by all rooms: runs the steps on the connection and in the transaction that storage.py holds."""

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    version_table=context.config.attributes["version_table"],
)
with context.begin_transaction():
    context.run_migrations()
