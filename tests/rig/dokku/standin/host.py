"""The directories of the host, out of the environment that the dokku binary exports."""

import os


def root(*parts: str) -> str:
    return os.path.join(os.environ.get("DOKKU_ROOT", "/home/dokku"), *parts)


def lib(*parts: str) -> str:
    return os.path.join(os.environ.get("DOKKU_LIB_ROOT", "/var/lib/dokku"), *parts)


def enabled(*parts: str) -> str:
    return os.path.join(os.environ.get("PLUGIN_ENABLED_PATH", lib("plugins/enabled")), *parts)


def data(plugin: str, *parts: str) -> str:
    return lib("data", plugin, *parts)


def make_directory(path: str, mode: int = 0o755) -> None:
    """Makes the path with its parents, each with the given mode whatever the umask, owned by dokku."""
    if os.path.isdir(path):
        return
    make_directory(os.path.dirname(path), 0o755)
    try:
        os.mkdir(path)
    except FileExistsError:
        return
    os.chmod(path, mode)
    give_to_dokku(path)


def give_to_dokku(path: str) -> None:
    if os.geteuid() == 0:
        import grp
        import pwd

        user = os.environ.get("DOKKU_SYSTEM_USER", "dokku")
        group = os.environ.get("DOKKU_SYSTEM_GROUP", "dokku")
        os.chown(path, pwd.getpwnam(user).pw_uid, grp.getgrnam(group).gr_gid, follow_symlinks=False)


def read(path: str) -> str:
    """The file's text, "" if there is none."""
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            return file.read()
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return ""


def write(path: str, text: str, mode: int = 0o644) -> None:
    """Truncates and writes, without lock or rename, like dokku."""
    make_directory(os.path.dirname(path))
    with open(path, "w", encoding="utf-8", errors="surrogateescape") as file:
        file.write(text)
    os.chmod(path, mode)
    give_to_dokku(path)


def remove(path: str) -> None:
    """Removes a file or a whole tree; no error if it is absent."""
    if os.path.isdir(path) and not os.path.islink(path):
        for name in os.listdir(path):
            remove(os.path.join(path, name))
        os.rmdir(path)
    elif os.path.lexists(path):
        os.unlink(path)
