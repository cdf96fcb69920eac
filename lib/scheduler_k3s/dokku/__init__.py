"""Everything that asks dokku: properties, triggers, apps. No other package calls plugn or reads its files."""
