"""How ``config/syndicate.toml`` is read: kinds of value, places of keys, faults. Knows no section by name."""
