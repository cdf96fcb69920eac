"""Texts that a container is to be given as they are."""


def literal(text: str) -> str:
    """Kubernetes expands `$(NAME)` and `$$` in args and env values; with each `$` doubled it gives back the text."""
    return text.replace("$", "$$")
