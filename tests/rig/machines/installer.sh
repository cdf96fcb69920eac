#!/bin/sh
# Stands in for the k3s installer: the same variables, arguments and files. @RELEASES@ is filled in by the server.
set -eu

say() { echo "[INFO]  $*"; }
refuse() { echo "[ERROR]  $*" >&2; exit 1; }

choose_command() {
	case ${1:-} in
		-* | '')
			if [ -z "${K3S_URL:-}" ]; then
				command=server
			elif [ -z "${K3S_TOKEN:-}${K3S_TOKEN_FILE:-}" ]; then
				refuse 'K3S_URL makes this host an agent, which needs K3S_TOKEN or K3S_TOKEN_FILE too'
			else
				command=agent
			fi
			;;
		*) command=$1 && shift ;;
	esac
	name=k3s
	if [ "$command" = agent ]; then name=k3s-agent; fi
	if [ -n "${INSTALL_K3S_NAME:-}" ]; then name=k3s-$INSTALL_K3S_NAME; fi
	line=$command
	for word in "$@"; do line="$line '$(printf %s "$word" | sed "s/'/'\\\\''/g")'"; done
	bin=${INSTALL_K3S_BIN_DIR:-/usr/local/bin}
	systemd=${INSTALL_K3S_SYSTEMD_DIR:-/etc/systemd/system}
	unit=$systemd/$name.service
	uninstall=$bin/$name-uninstall.sh
}

fetch() {
	if command -v curl >/dev/null; then
		curl -sfL -o "$2" "$1" || refuse "Unable to fetch $1"
	elif command -v wget >/dev/null; then
		wget -qO "$2" "$1" || refuse "Unable to fetch $1"
	else
		refuse 'neither curl nor wget is here'
	fi
}

download() {
	if [ "${INSTALL_K3S_SKIP_DOWNLOAD:-false}" = true ]; then
		say 'Nothing is downloaded, as asked'
		[ -x "$bin/k3s" ] || refuse "There is no program at $bin/k3s"
		return
	fi
	work=$(mktemp -d -t k3s-install.XXXXXXXXXX)
	trap 'rm -rf "$work"' EXIT
	version=${INSTALL_K3S_VERSION:-}
	if [ -z "$version" ]; then
		say "Asking which version is ${INSTALL_K3S_CHANNEL:-stable}"
		fetch "@RELEASES@/channels/${INSTALL_K3S_CHANNEL:-stable}" "$work/version"
		version=$(cat "$work/version")
	fi
	say "Version: $version"
	say "Fetching digests: @RELEASES@/$version/sha256sum-amd64.txt"
	fetch "@RELEASES@/$version/sha256sum-amd64.txt" "$work/list"
	wanted=$(sed -n 's/ [ *]k3s$//p' "$work/list")
	if [ -x "$bin/k3s" ] && [ "$(digest "$bin/k3s")" = "$wanted" ]; then
		say 'The program is there already'
		return
	fi
	say "Fetching program: @RELEASES@/$version/k3s"
	fetch "@RELEASES@/$version/k3s" "$work/k3s"
	found=$(digest "$work/k3s")
	[ "$found" = "$wanted" ] || refuse "The program has the digest $found, not $wanted"
	say "Program: $bin/k3s"
	chmod 755 "$work/k3s"
	chown root:root "$work/k3s"
	mv -f "$work/k3s" "$bin/k3s"
}

digest() { sha256sum "$1" | cut -d' ' -f1; }

make_links() {
	if [ "${INSTALL_K3S_SYMLINK:-}" = skip ]; then return; fi
	for tool in kubectl crictl ctr; do
		if [ "${INSTALL_K3S_SYMLINK:-}" != force ]; then
			if [ -e "$bin/$tool" ]; then
				say "$bin/$tool is there already"
				continue
			fi
			if command -v $tool >/dev/null; then
				say "$tool is there already: $(command -v $tool)"
				continue
			fi
		fi
		say "Link: $bin/$tool"
		ln -sf k3s "$bin/$tool"
	done
}

make_killall() {
	say "Script: $bin/k3s-killall.sh"
	cat >"$bin/k3s-killall.sh" <<'END'
#!/bin/sh
[ "$(id -u)" -eq 0 ] || exec sudo "$0" "$@"
for unit in /etc/systemd/system/k3s*.service; do
	[ -s "$unit" ] && systemctl stop "$(basename "$unit")"
done
for process in /proc/[0-9]*; do
	case $(tr '\0' ' ' <"$process/cmdline" 2>/dev/null) in *containerd-shim*/run/k3s/*) kill -9 "${process#/proc/}" ;; esac
done
find /sys/fs/cgroup -path '*/kubepods/*' -name cgroup.procs -exec cat {} + 2>/dev/null | sort -u | while read -r number; do
	kill -9 "$number" 2>/dev/null
done
sort -r /proc/self/mounts | while read -r _ path _; do
	case $path in /run/k3s/* | /var/lib/rancher/k3s/* | /var/lib/kubelet/*) umount -f "$path" 2>/dev/null || umount -l "$path" ;; esac
done
ip -o link show type veth 2>/dev/null | sed -n 's/^[0-9]*: \(veth[^@:]*\).*/\1/p' | while read -r link; do ip link delete "$link"; done
ip route | sed -n 's/^\(10\.42\.[^ ]*\).*/\1/p' | while read -r range; do ip route delete "$range"; done
rm -rf /var/lib/cni/networks/cbr0
for family in iptables ip6tables; do
	$family-save 2>/dev/null | grep -v -E 'KUBE-|CNI-' | $family-restore
done
exit 0
END
	chmod 755 "$bin/k3s-killall.sh"
}

make_uninstall() {
	say "Script: $uninstall"
	cat >"$uninstall" <<END
#!/bin/sh
set -x
[ "\$(id -u)" -eq 0 ] || exec sudo "\$0" "\$@"
$bin/k3s-killall.sh
systemctl disable $name
systemctl reset-failed $name
rm -f $unit $unit.env
systemctl daemon-reload
remove_uninstall() { rm -f $uninstall; }
trap remove_uninstall EXIT
if ls $systemd/k3s*.service >/dev/null 2>&1; then
	set +x; echo 'The program stays: other k3s services need it'; set -x
	exit
fi
for tool in kubectl crictl ctr; do
	if [ -L $bin/\$tool ]; then rm -f $bin/\$tool; fi
done
rm -rf /etc/rancher/k3s /run/k3s /run/flannel /var/lib/rancher/k3s /var/lib/kubelet
rm -f $bin/k3s $bin/k3s-killall.sh
END
	chmod 755 "$uninstall"
}

make_service() {
	say "Environment: $unit.env"
	(
		umask 077
		env | grep -E '^(K3S_|CONTAINERD_|http_proxy|https_proxy|no_proxy|HTTP_PROXY|HTTPS_PROXY|NO_PROXY)' | sort >"$unit.env" || :
	)
	say "Service: $unit"
	cat >"$unit" <<END
[Unit]
Description=k3s
Wants=network-online.target
After=network-online.target

[Install]
WantedBy=multi-user.target

[Service]
Type=notify
EnvironmentFile=-/etc/default/%N
EnvironmentFile=-/etc/sysconfig/%N
EnvironmentFile=-$unit.env
KillMode=process
Delegate=yes
User=root
LimitNOFILE=1048576
LimitNPROC=infinity
LimitCORE=infinity
TasksMax=infinity
TimeoutStartSec=0
Restart=always
RestartSec=5s
ExecStart=$bin/k3s $line
END
}

start() {
	if [ "${INSTALL_K3S_SKIP_ENABLE:-false}" = true ]; then return; fi
	say "systemd: Enabling $name unit"
	systemctl enable "$unit" >/dev/null
	systemctl daemon-reload >/dev/null
	if [ "${INSTALL_K3S_SKIP_START:-false}" = true ]; then return; fi
	if [ "$before" = "$(state)" ] && [ "${INSTALL_K3S_FORCE_RESTART:-false}" != true ]; then
		say 'Nothing has changed, so nothing is restarted'
		return
	fi
	say "systemd: Starting $name"
	systemctl restart "$name"
}

state() { sha256sum "$bin/k3s" "$unit" "$unit.env" 2>&1 || :; }

[ "$(id -u)" -eq 0 ] || refuse 'This must be run as root'
[ ! -x /sbin/openrc-run ] || refuse 'openrc is here, which is not played: the real installer prefers it'
[ -x /bin/systemctl ] || refuse 'There is no systemd here'
# shellcheck disable=SC2086 # the variable holds words
choose_command ${INSTALL_K3S_EXEC:-} "$@"
before=$(state)
download
make_links
make_killall
make_uninstall
make_service
start
