"""The errors that end a command with one line for the user."""


class PluginError(Exception):
    """Something the user can act on. The text is printed as ` !     text`; it never holds a secret.

    `exit_code` becomes dokku's: 1 for failures, 2 for a wrong command line, 20 for an unknown app.
    """

    def __init__(self, message: str, exit_code: int = 1) -> None:
        super().__init__(message)
        self.message = message
        self.exit_code = exit_code


class Cancelled(PluginError):
    """A signal (INT, HUP, QUIT, TERM) ended the operation."""
