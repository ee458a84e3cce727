"""syndicate: a syndication and newsletter publisher for briefs and a daily quote."""

__version__ = "0.1.0"
