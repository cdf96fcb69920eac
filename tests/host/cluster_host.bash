# What tests on the rig's Kubernetes need, for `load cluster_host`: a host with the plugin and its tools, set up to
# deploy there, and servers without a k3s, whose nodes are nothing but objects of that cluster.
#
#   cluster_host_setup     makes the host (see helper.bash), in `setup_file`
#   cluster_host_teardown  removes it, with whatever else is described here
#   rig ARGUMENT...        Python with the rig's modules
#   kubectl, helm          the plugin's, as the cluster's administrator
#   use_cluster            lets the host deploy to the cluster; `use_server` to that of its own k3s
#
#   network_setup          makes the servers' network, a leg on the rig's bridge; $FILES is served there on loopback
#   on_server WORD...      runs dokku on this host as a server in that network, its k3s included
#   other_host_setup       starts another host there, reached at $OTHER; `other_host_teardown` ends it
#
# Variables, besides those of helper.bash: STORE, the plugin's global properties; CLUSTER, the cluster's kubeconfig.

load helper

BRIDGE=rig0
API=10.144.0.1
ADDRESS=10.144.0.250
OTHER=ssh://root@$ADDRESS
TOOLS=/var/lib/scheduler-k3s-rig/tools
CLUSTER=${RIG_KUBECONFIG:-/var/lib/scheduler-k3s-rig/kubeconfig}
VERSION=v1.34.4+k3s1
# labels of nodes: which run of the tests, which host
RUN=rig.example.com/run
HOST=rig.example.com/host
# the host has another HOME
export RIG_CACHE=${RIG_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}}

cluster_host_setup() {
  if [[ ! -e $CLUSTER ]]; then echo "There is no cluster. Start one with: make node-start" && return 1; fi
  standin_setup
  export STORE=$DOKKU_LIB_ROOT/config/scheduler-k3s/--global FILES=$STANDIN/files
  rig -c 'import pathlib, sys; from rig import host; host.install_plugin(pathlib.Path(sys.argv[1])).use()' "$PREFIX"
}

cluster_host_teardown() {
  other_host_teardown || true
  if [[ ${NETWORK:-} ]]; then kill "${FILE_SERVER:-$NETWORK}" "$NETWORK" || true; fi
  standin_teardown
}

rig() {
  XDG_CACHE_HOME=$RIG_CACHE PYTHONPATH=$CHECKOUT/tests "$RIG_CACHE/scheduler-k3s-rig/venv/bin/python" "$@"
}

kubectl() {
  "$TOOLS/bin/kubectl" --kubeconfig="$CLUSTER" "$@"
}

helm() {
  "$TOOLS/bin/helm" --kubeconfig="$CLUSTER" "$@"
}

use_cluster() {
  dokku scheduler-k3s:set --global kubeconfig-path "$CLUSTER" >/dev/null
}

use_server() {
  if [[ ${RIG_KUBECONFIG:-} ]]; then skip "servers join the rig's own cluster only"; fi
  dokku scheduler-k3s:set --global kubeconfig-path >/dev/null
}

network_setup() {
  local here
  mkdir -p "$FILES"
  installer ''
  here=$(readlink /proc/self/ns/net)
  unshare --net sleep infinity >/dev/null 2>&1 3>&- &
  export NETWORK=$!
  while [[ $(readlink "/proc/$NETWORK/ns/net") == "$here" ]]; do sleep 0.05; done
  # the same hardware address in every run, or the bridge would look for that of the last one
  ip link add "k3s-$NETWORK" type veth peer name eth0 address 02:00:0a:90:00:fa netns "$NETWORK"
  ip link set "k3s-$NETWORK" master $BRIDGE up
  in_network ip link set lo up
  in_network ip address add $ADDRESS/24 dev eth0
  in_network ip link set eth0 up
  nsenter --net="/proc/$NETWORK/ns/net" \
    /usr/bin/python3 -m http.server --bind 127.0.0.1 --directory "$FILES" 8000 >"$STANDIN/served" 2>&1 3>&- &
  export FILE_SERVER=$!
  in_network curl --silent --fail --output /dev/null --retry 50 --retry-delay 1 --retry-connrefused http://127.0.0.1:8000/
  digests >"$STANDIN/digests"
  server_programs "$STANDIN/server"
  dokku scheduler-k3s:set --global k3s-installer-url http://127.0.0.1:8000/install.sh
  dokku scheduler-k3s:set --global chart-repository-url http://127.0.0.1:8000
}

in_network() {
  nsenter --net="/proc/$NETWORK/ns/net" "$@"
}

# Of the tools as they were installed, so that they count as the pinned ones.
digests() {
  local machine
  case $(uname -m) in x86_64) machine=amd64 ;; aarch64) machine=arm64 ;; *) return 1 ;; esac
  printf '%s  %s\n' "$(cut -d ' ' -f 1 "$TOOLS/bin/.helm.sha256")" "helm-v4.1.4-linux-$machine.tar.gz"
  printf '%s  %s\n' "$(cut -d ' ' -f 1 "$TOOLS/bin/.kubectl.sha256")" "kubectl-v1.34.4-linux-$machine"
}

on_server() {
  DOKKU_SCHEDULER_K3S_DIGESTS=$STANDIN/digests DOKKU_SCHEDULER_K3S_KUBECTX_URL=http://127.0.0.1:8000 \
    K3S_NETWORK=$NETWORK "$HOST_TESTS/k3s_host" "$STANDIN/server" "$PREFIX/bin/dokku" "$@"
}

other_host_setup() {
  local keys=$DOKKU_ROOT/.ssh options=()
  "$CHECKOUT/tests/rig/packages" openssh-server openssh-client
  rm -rf "$STANDIN/other" "$keys"
  server_programs "$STANDIN/other"
  mkdir -p /run/sshd
  install -d -m 700 "$keys"
  ssh-keygen -q -t ed25519 -N '' -f "$keys/id_ed25519"
  ssh-keygen -q -t ed25519 -N '' -f "$STANDIN/other/key"
  cp "$keys/id_ed25519.pub" "$STANDIN/other/authorized"
  chown -R dokku:dokku "$keys"
  options=(-o "ListenAddress=$ADDRESS" -o "HostKey=$STANDIN/other/key" -o "AuthorizedKeysFile=$STANDIN/other/authorized"
    -o StrictModes=no -o UsePAM=no -o PermitRootLogin=prohibit-password -o PidFile=none)
  K3S_NETWORK=$NETWORK "$HOST_TESTS/k3s_host" "$STANDIN/other" /usr/sbin/sshd -D -e -f /dev/null "${options[@]}" \
    >"$STANDIN/other/log" 2>&1 3>&- &
  echo $! >"$STANDIN/other/pid"
  for _ in $(seq 200); do
    if in_network bash -c ": </dev/tcp/$ADDRESS/22" 2>/dev/null; then return; fi
    sleep 0.1
  done
  cat "$STANDIN/other/log"
  return 1
}

other_host_teardown() {
  if [[ ! -e ${STANDIN:-}/other/pid ]]; then return; fi
  kill "$(cat "$STANDIN/other/pid")"
  rm "$STANDIN/other/pid"
  nodes_remove other
}

# What k3s is told on the other host.
other_config() {
  cat "$STANDIN/other/changes/etc/rancher/k3s/config.yaml"
}

# The nodes of this file's servers, as JSON.
nodes() {
  kubectl get nodes --selector "$RUN=$NETWORK" --output json
}

# Takes them out of the cluster, or the one of `server` or `other`.
nodes_remove() {
  kubectl delete nodes --selector "$RUN=${NETWORK:-none}${1:+,$HOST=$1}" --ignore-not-found
}

program() {
  printf '#!/bin/sh\n%s\n' "$2" >"$1"
  chmod 755 "$1"
}

# k3s' installer, which first does what is given.
installer() {
  # shellcheck disable=SC2016
  program "$FILES/install.sh" "$1"'
unit=k3s
[ "$1" = server ] || unit=k3s-agent
mkdir -p /etc/systemd/system
echo "ExecStart=/usr/local/bin/k3s $1" >"/etc/systemd/system/$unit.service"
printf "#!/bin/sh\necho k3s version '"$VERSION"' \\(0\\)\n" >/usr/local/bin/k3s
printf "#!/bin/sh\n" >"/usr/local/bin/$unit-uninstall.sh"
chmod 755 /usr/local/bin/k3s "/usr/local/bin/$unit-uninstall.sh"
[ "${INSTALL_K3S_SKIP_START:-}" = true ] || systemctl restart "$unit"'
  sha256sum <"$FILES/install.sh" | sed 's/-$/install.sh/' >"$FILES/install.sh.sha256sum"
}

# A server has Debian's programs, and a systemd that knows one thing: when k3s starts, its node joins the cluster. The
# node takes no pods, since nobody would start them.
server_programs() {
  mkdir -p "$1/bin"
  program "$1/bin/apt-get" 'echo "apt-get $*"'
  program "$1/bin/dpkg" ':'
  program "$1/bin/dpkg-query" 'for _ in 1 2 3 4 5; do echo installed; done'
  cat >"$1/bin/systemctl" <<EOT
#!/bin/sh
set -eu
case "\$*" in restart*k3s) unit=k3s ;; restart*k3s-agent) unit=k3s-agent ;; *) exit 0 ;; esac
name=\$(sed -n 's/^node-name: "\(.*\)"\$/\1/p' /etc/rancher/k3s/config.yaml)
roles=
if [ \$unit = k3s ]; then
  roles='"node-role.kubernetes.io/control-plane": "true", "node-role.kubernetes.io/etcd": "true",'
  sed 's/127\.0\.0\.1/$API/' '$CLUSTER' >/etc/rancher/k3s/k3s.yaml
  chgrp dokku /etc/rancher/k3s/k3s.yaml
  chmod 640 /etc/rancher/k3s/k3s.yaml
fi
now=\$(date -u +%FT%TZ)
$TOOLS/bin/kubectl --kubeconfig='$CLUSTER' --server=https://$API:6443 create --filename - <<END
{"apiVersion": "v1", "kind": "Node",
 "metadata": {"name": "\$name", "labels": {\$roles "$RUN": "$NETWORK", "$HOST": "${1##*/}"}},
 "spec": {"taints": [{"key": "$RUN", "effect": "NoExecute"}]},
 "status": {
   "addresses": [{"type": "InternalIP", "address": "$ADDRESS"}],
   "nodeInfo": {"kubeletVersion": "$VERSION", "architecture": "amd64", "bootID": "", "containerRuntimeVersion": "",
     "kernelVersion": "", "kubeProxyVersion": "", "machineID": "", "operatingSystem": "linux", "osImage": "", "systemUUID": ""},
   "conditions": [{"type": "Ready", "status": "True", "reason": "KubeletReady", "message": "it says so",
     "lastHeartbeatTime": "\$now", "lastTransitionTime": "\$now"}]}}
END
EOT
  chmod 755 "$1/bin/systemctl"
}
