"""The core plugins, a module each: TRIGGERS and COMMANDS name their entry points."""
