"""The memory: SQLAlchemy Core on SQLite. The only room that knows SQL."""
