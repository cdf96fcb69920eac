"""One thin module per outside program or service: argument lists, timeouts, errors that say what failed."""
