"""A browser, for whoever asks for one by name."""

from chromium import browser, page

__all__ = ["browser", "page"]
