"""storage: named volumes and which apps mount them."""

import json
import os
import stat

from .. import apps, args, host, lifecycle, log, process, props, report, triggers
from ..kinds import Commands, Triggers
from ..log import Fail

DESCRIPTION = "dokku core storage plugin"
ALL = "_default_"
Entry = dict[str, object]
# Option of storage:create and property of storage:set -> field of the entry.
FIELDS = {
    "size": "size",
    "access-mode": "access_mode",
    "storage-class": "storage_class",
    "namespace": "namespace",
    "chown": "chown",
    "mode": "mode",
    "reclaim-policy": "reclaim_policy",
}
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789-"


def _path(name: str) -> str:
    return host.data("storage-registry", "entries", f"{name}.json")


def _valid_name(name: str) -> bool:
    return 0 < len(name) <= 45 and not set(name) - set(LETTERS) and "-" not in (name[0], name[-1])


def load(name: str) -> Entry:
    text = host.read(_path(name)) if _valid_name(name) else ""
    if not text:
        raise Fail(f"Storage entry {name} does not exist")
    entry: Entry = json.loads(text)
    return entry


def _store(entry: Entry) -> str:
    """Empty fields are left out. Returns the JSON."""
    text = json.dumps({key: value for key, value in entry.items() if value not in ("", {}, None)})
    host.write(_path(str(entry["name"])), text, 0o600)
    return text


def _tell(trigger: str, entry: Entry, text: str) -> None:
    if entry["scheduler"] == "k3s":
        triggers.go(trigger, str(entry["name"]), payload=text)


def _map(pairs: list[str]) -> dict[str, str]:
    return {pair.partition("=")[0]: pair.partition("=")[2] for pair in pairs}


def create(words: list[str]) -> None:
    """<name> [<host path>]. When the scheduler refuses, the record goes, even one that was there before."""
    parsed = args.parse(words, "", " ".join([*FIELDS, "scheduler", "annotation", "label"]))
    name, path = parsed.word(0), parsed.word(1)
    scheduler = parsed.value("scheduler", "docker-local")
    if not _valid_name(name):
        raise Fail(f"Invalid storage entry name: {name}")
    if scheduler not in ("docker-local", "k3s"):
        raise Fail(f"Invalid scheduler: {scheduler}")
    entry: Entry = {"name": name, "scheduler": scheduler, "host_path": path}
    entry |= {field: parsed.value(option) for option, field in FIELDS.items()}
    entry |= {
        "annotations": _map(parsed.all("annotation")),
        "labels": _map(parsed.all("label")),
        "schema_version": 1,
    }
    text = _store(entry)
    try:
        _tell("storage-create", entry, text)
    except Fail:
        host.remove(_path(name))
        raise
    log.step_unless_quiet(f"Storage entry {name} created")


def set_command(words: list[str]) -> None:
    """<name> <property> [<value>]; the changed record stays when the scheduler refuses."""
    parsed = args.parse(words)
    entry, name, value = load(parsed.word(0)), parsed.word(1), parsed.word(2)
    if name not in FIELDS:
        raise Fail(f"Invalid property specified, valid properties include: {', '.join(sorted(FIELDS))}")
    entry[FIELDS[name]] = value
    _tell("storage-create", entry, _store(entry))


def annotations_set(words: list[str]) -> None:
    """<name> <key> [<value>]"""
    parsed = args.parse(words)
    entry, key, value = load(parsed.word(0)), parsed.word(1), parsed.word(2)
    found = entry.get("annotations")
    annotations = dict(found) if isinstance(found, dict) else {}
    annotations.pop(key, None)
    if value:
        annotations[key] = value
    entry["annotations"] = annotations
    _tell("storage-create", entry, _store(entry))


def mounts(app: str) -> list[Entry]:
    return [json.loads(line) for line in props.get_list("storage", app, "mounts")]


def _users(name: str) -> list[str]:
    return [app for app in apps.everything() if any(mount["entry_name"] == name for mount in mounts(app))]


def destroy(words: list[str]) -> None:
    entry = load(args.parse(words, "force").word(0))
    name = str(entry["name"])
    if users := _users(name):
        raise Fail(f"Storage entry {name} is mounted by {', '.join(users)}")
    _tell("storage-destroy", entry, json.dumps(entry))
    host.remove(_path(name))


def mount(words: list[str]) -> None:
    """<app> <entry>:<container path>, or <app> <entry> --container-dir <path>."""
    parsed = args.parse(
        words, "readonly", "container-dir phases process-type subpath volume-options volume-chown"
    )
    app = apps.verify(parsed.word(0))
    name, _, path = parsed.word(1).partition(":")
    path, _, option = (parsed.value("container-dir") or path).partition(":")
    if not path.startswith("/"):
        raise Fail("Storage path must be two valid paths divided by colon.")
    load(name)
    attachment: Entry = {
        "entry_name": name,
        "container_path": path,
        "phases": parsed.value("phases", "deploy,run").split(","),
        "process_type": parsed.value("process-type", ALL),
        "subpath": parsed.value("subpath"),
        "readonly": parsed.on("readonly") or option == "ro",
        "volume_options": parsed.value("volume-options"),
        "volume_chown": parsed.value("volume-chown"),
    }
    known = mounts(app)
    if any(found["entry_name"] == name and found["container_path"] == path for found in known):
        raise Fail("Mount path already exists.")
    props.put_list("storage", app, "mounts", [json.dumps(found) for found in [*known, attachment]])


def unmount(words: list[str]) -> None:
    parsed = args.parse(words, "", "container-dir")
    app = apps.verify(parsed.word(0))
    name, _, path = parsed.word(1).partition(":")
    path = parsed.value("container-dir") or path
    known = mounts(app)
    left = [
        found for found in known if found["entry_name"] != name or (path and found["container_path"] != path)
    ]
    if len(left) == len(known):
        raise Fail("Mount path does not exist.")
    props.put_list("storage", app, "mounts", [json.dumps(found) for found in left])


def list_command(words: list[str]) -> None:
    app = apps.verify(args.parse(words, "", "format").word(0))
    log.headline_unless_quiet(f"{app} volume bind-mounts:")
    log.data("\n".join(f"{found['entry_name']}:{found['container_path']}" for found in mounts(app)))


def storage_app_mounts(words: list[str]) -> None:
    """<app> <phase>: attachments with their entries; an entry that is missing is an error."""
    app, phase = words[:2]
    wanted = [found for found in mounts(app) if phase in found["phases"]]  # type: ignore[operator]
    pairs = [{"entry": load(str(found["entry_name"])), "attachment": found} for found in wanted]
    log.line(json.dumps(pairs, separators=(",", ":")))


def storage_list(words: list[str]) -> None:
    log.warn("Deprecated: use storage-app-mounts")
    log.data("\n".join(f"{found['entry_name']}:{found['container_path']}" for found in mounts(words[0])))


def wait(words: list[str]) -> None:
    """<name> [--timeout <seconds>]: until the scheduler says Bound."""
    import time

    parsed = args.parse(words, "", "timeout")
    entry = load(parsed.word(0))
    if entry["scheduler"] != "k3s":
        return
    end = time.monotonic() + float(parsed.value("timeout", "300").rstrip("s"))
    while True:
        argv = ["plugn", "trigger", "storage-status", str(entry["name"])]
        _, answer, _ = process.piped(argv, payload=json.dumps(entry), show_output=False)
        if answer.strip() == "Bound":
            return
        if time.monotonic() > end:
            raise Fail(f"Storage entry {entry['name']} is not bound: {answer.strip()}")
        time.sleep(0.5)


def _is_character_device(descriptor: int) -> str:
    return "true" if stat.S_ISCHR(os.fstat(descriptor).st_mode) else "false"


def exec_command(words: list[str]) -> int:
    """<name> [--image <image>] [--as-user <uid>] [-- <cmd>]; the exit code is the command's."""
    split = words.index("--") if "--" in words else len(words)
    parsed = args.parse(words[:split], "", "image as-user")
    entry = load(parsed.word(0))
    user = ["--as-user", parsed.value("as-user")] if parsed.value("as-user") else []
    flags = [f"--interactive={_is_character_device(0)}", f"--tty={_is_character_device(1)}"]
    image = parsed.value("image", "alpine:latest")
    code, errors = triggers.go_code(
        "scheduler-storage-exec",
        str(entry["scheduler"]),
        str(entry["name"]),
        image,
        *flags,
        *user,
        *words[split:],
    )
    if code:
        raise Fail(errors, code)
    return 0


def facts(app: str) -> report.Facts:
    found = mounts(app)
    return {
        f"{phase}-mounts": " ".join(
            f"{mount['entry_name']}:{mount['container_path']}"
            for mount in found
            if phase in str(mount["phases"])
        )
        for phase in ("deploy", "run")
    }


show = report.command("storage", facts)

TRIGGERS: Triggers = {
    **lifecycle.of("storage"),
    "report": lambda words: show(words[:1]),
    "storage-app-mounts": storage_app_mounts,
    "storage-list": storage_list,
}
COMMANDS: Commands = {
    "": (list_command, "<app>, List the volumes of an app"),
    "annotations:set": (annotations_set, "<name> <key> (<value>), Set or clear an annotation of a volume"),
    "create": (create, "<name> [<host-path>] [--scheduler <scheduler>] [--size <size>] ..., Create a volume"),
    "destroy": (destroy, "<name>, Remove a volume"),
    "exec": (
        exec_command,
        "<name> [--image <image>] [--as-user <uid>] -- <cmd>, Run a command beside a volume",
    ),
    "list": (list_command, "<app>, List the volumes of an app"),
    "mount": (mount, "<app> <name>:<container-path> [<flags>], Mount a volume in an app"),
    "report": (show, "[<app>] [<flag>], Show the volumes of apps"),
    "set": (set_command, "<name> <property> (<value>), Set or clear a property of a volume"),
    "unmount": (unmount, "<app> <name>:<container-path>, Unmount a volume"),
    "wait": (wait, "<name> [--timeout <seconds>], Wait until a volume is bound"),
}
