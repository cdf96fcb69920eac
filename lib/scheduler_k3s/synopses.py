"""Every command's synopsis, once: parsing, `--help` and `scheduler-k3s:help` read this table."""

SUMMARY = "Manage scheduler-k3s settings for an app"

BOOL, TEXT, NUMBER, LIST, MAP = "bool", "string", "number", "list", "key=value"


class Flag:
    __slots__ = ("default", "kind", "name", "summary")

    def __init__(self, name: str, kind: str, summary: str, default: str = "") -> None:
        self.name = name
        self.kind = kind
        self.summary = summary
        self.default = default


class Command:
    """`scope`: "" takes no app, "app" needs one, "global" takes an app or `--global`. `words`: how many more words.

    Arguments beginning with `info` are questions for one value of a report, not flags.
    """

    __slots__ = ("flags", "info", "name", "scope", "summary", "synopsis", "words")

    def __init__(
        self,
        name: str,
        synopsis: str,
        summary: str,
        *flags: Flag,
        scope: str = "",
        words: int = 0,
        info: str = "",
    ) -> None:
        self.name = name
        self.synopsis = f"scheduler-k3s:{name} {synopsis}".rstrip()
        self.summary = summary
        self.flags = (_GLOBAL, *flags) if scope == "global" else flags
        self.scope = scope
        self.words = words
        self.info = info


_GLOBAL = Flag("global", BOOL, "act on the global scope instead of an app")
_FORMAT = Flag("format", TEXT, "stdout or json", "stdout")
_PROCESS_TYPE = Flag("process-type", TEXT, "process type, or the id of a cron task; else all processes")
_RESOURCE_TYPE = Flag("resource-type", TEXT, "kind of object, such as deployment, pod, service or ingress")
_SET = "<app|--global> <property> (<value>) [--process-type PROCESS_TYPE] <--resource-type RESOURCE_TYPE>"
_REPORT = "[<app|--global>] [--format stdout|json]"
_SELECTED = f"{_REPORT} [--process-type PROCESS_TYPE] [--resource-type RESOURCE_TYPE]"
_TAINT = Flag("taint-scheduling", BOOL, "keep workloads off this server")
_KUBELET = Flag("kubelet-args", LIST, "key=value for the kubelet")
_INSECURE = Flag("insecure-allow-unknown-hosts", BOOL, "trust the ssh key of a new host unseen")
_ROLE = Flag("role", TEXT, "server or worker", "worker")
_SERVER_IP = Flag("server-ip", TEXT, "address of this server; else the IPv4 address of network-interface")
_FORCE = Flag("force", BOOL, "do not ask for confirmation")

# fmt: off
_COMMANDS = (
    Command("annotations:set", _SET, "Set or clear an annotation of an app's objects",
            _PROCESS_TYPE, _RESOURCE_TYPE, scope="global", words=2),
    Command("annotations:report", _SELECTED, "Show the annotations of one or more apps",
            _FORMAT, _PROCESS_TYPE, _RESOURCE_TYPE, scope="global", info="--scheduler-k3s-annotations."),
    Command("autoscaling-auth:set", "<app|--global> <trigger> [<--metadata key=value>...]",
            "Set or clear what an autoscaling trigger logs in with",
            Flag("metadata", MAP, "a parameter of the trigger, repeatable"), scope="global", words=1),
    Command("autoscaling-auth:report", f"{_REPORT} [--include-metadata]",
            "Show the autoscaling authentication of one or more apps",
            _FORMAT, Flag("include-metadata", BOOL, "show the parameters too"),
            scope="global", info="--scheduler-k3s-autoscaling-auth."),
    Command("charts:report", "[<chart>] [--format stdout|json]",
            "Show the overridden values of system charts", _FORMAT, words=1),
    Command("charts:set", "<chart-name.property> (<value>)", "Set or clear a value of a system chart", words=2),
    Command("cluster:add",
            "[--profile PROFILE] [--role ROLE] [--insecure-allow-unknown-hosts] [--server-ip SERVER_IP] "
            "[--taint-scheduling] [--kubelet-args KUBELET_ARGS] <ssh://user@host:port>",
            "Join a host to the cluster over ssh",
            Flag("profile", TEXT, "node profile to take settings from"),
            _ROLE, _INSECURE, _SERVER_IP, _TAINT, _KUBELET, words=1),
    Command("cluster:list", "[--format json|stdout]", "List the nodes of the cluster", _FORMAT),
    Command("cluster:remove", "[node-id] [--force]", "Remove a node from the cluster",
            Flag("force", BOOL, "do not ask, and go on where pods or etcd's majority would be lost"), words=1),
    Command("ensure-charts", "[--force] [--charts NAME[,NAME...]]", "Install or upgrade the system charts",
            Flag("force", BOOL, "install every chart"),
            Flag("charts", LIST, "charts to install in any case")),
    Command("initialize",
            "[--ingress-class nginx|traefik] [--server-ip SERVER_IP] [--taint-scheduling] "
            "[--kubelet-args KUBELET_ARGS] [--without NAME[,NAME...]]",
            "Install k3s and the system charts on this host",
            Flag("ingress-class", TEXT, "nginx or traefik", "nginx"), _SERVER_IP, _TAINT, _KUBELET,
            Flag("without", LIST, "system charts not to install")),
    Command("labels:set", _SET, "Set or clear a label of an app's objects",
            _PROCESS_TYPE, _RESOURCE_TYPE, scope="global", words=2),
    Command("labels:report", _SELECTED, "Show the labels of one or more apps",
            _FORMAT, _PROCESS_TYPE, _RESOURCE_TYPE, scope="global", info="--scheduler-k3s-labels."),
    Command("node-sysctls:set", "<sysctl> (<value>) [--global|--profile PROFILE]",
            "Set or clear a sysctl of the nodes",
            Flag("global", BOOL, "nodes without a profile (the default)"),
            Flag("profile", TEXT, "nodes of this profile"), words=2),
    Command("node-sysctls:report", "[--format stdout|json]", "Show the sysctls of the nodes", _FORMAT),
    Command("preview",
            "<app> [--context N] [--show-secrets] [--show-secrets-decoded] [--all] [--exit-code] "
            "[--format stdout|json]",
            "Show what a deploy would change",
            Flag("context", NUMBER, "unchanged lines around a change; negative for all", "3"),
            Flag("show-secrets", BOOL, "show secrets as they are stored"),
            Flag("show-secrets-decoded", BOOL, "show secrets in plain text"),
            Flag("all", BOOL, "compare the releases for config and pull secret and TLS too"),
            Flag("exit-code", BOOL, "exit with 4 when something would change"), _FORMAT, scope="app"),
    Command("profiles:add",
            "<profile> [--role ROLE] [--insecure-allow-unknown-hosts] [--taint-scheduling] "
            "[--kubelet-args KUBELET_ARGS]",
            "Add or replace a node profile", _ROLE, _INSECURE, _TAINT, _KUBELET, words=1),
    Command("profiles:list", "[--format json|stdout]", "List the node profiles", _FORMAT),
    Command("profiles:remove", "<profile>", "Remove a node profile", words=1),
    Command("report", f"{_REPORT} [<flag>]", "Show the properties of one or more apps",
            _FORMAT, scope="global"),
    Command("set", "<app|--global> <property> (<value>)", "Set or clear a property", scope="global", words=2),
    Command("show-kubeconfig", "", "Print the kubeconfig of the cluster"),
    Command("uninstall", "[--force]", "Uninstall k3s from this host", _FORCE),
)
# fmt: on
COMMANDS = {command.name: command for command in _COMMANDS}
"""By name, in the order of the help."""
