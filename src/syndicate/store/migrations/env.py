"""Alembic's environment: the connection is handed in by ``store/migrate.py``."""

from alembic import context

from syndicate.store.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
