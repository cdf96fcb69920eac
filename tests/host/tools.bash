# The plugin's tools from a server on loopback, for the tests that install them.
#
#   serve_tools DIRECTORY   serves a helm archive and a kubectl, both small scripts, and their digests
#   stop_serving            ends the server
#   use_tools DIRECTORY     lets the plugin fetch from there, into $STANDIN/tools

serve_tools() {
  local machine
  case $(uname -m) in x86_64) machine=amd64 ;; aarch64) machine=arm64 ;; *) return 1 ;; esac
  mkdir -p "$1/linux-$machine" "$1/release/v1.34.4/bin/linux/$machine"
  printf '#!/bin/sh\necho the helm of the test\n' >"$1/linux-$machine/helm"
  printf '#!/bin/sh\necho the kubectl of the test\n' >"$1/release/v1.34.4/bin/linux/$machine/kubectl"
  tar --create --gzip --file "$1/helm-v4.1.4-linux-$machine.tar.gz" --directory "$1" "linux-$machine/helm"
  {
    printf '%s  %s\n' "$(sha256sum <"$1/helm-v4.1.4-linux-$machine.tar.gz" | cut -d ' ' -f 1)" "helm-v4.1.4-linux-$machine.tar.gz"
    printf '%s  %s\n' "$(sha256sum <"$1/release/v1.34.4/bin/linux/$machine/kubectl" | cut -d ' ' -f 1)" "kubectl-v1.34.4-linux-$machine"
  } >"$1/digests"
  /usr/bin/python3 -u -m http.server --bind 127.0.0.1 --directory "$1" 0 >"$1.log" 2>&1 3>&- &
  echo $! >"$1.pid"
  for _ in $(seq 100); do
    if grep -q 'port [0-9]' "$1.log"; then return; fi
    sleep 0.1
  done
  return 1
}

stop_serving() {
  kill "$(cat "$1.pid")"
}

use_tools() {
  local url
  url=http://127.0.0.1:$(sed -n 's/.*port \([0-9]*\).*/\1/p' "$1.log" | head -n 1)
  export DOKKU_SCHEDULER_K3S_HELM_URL=$url DOKKU_SCHEDULER_K3S_KUBECTL_URL=$url
  export DOKKU_SCHEDULER_K3S_DIGESTS=$1/digests DOKKU_SCHEDULER_K3S_TOOLS=$STANDIN/tools
}
