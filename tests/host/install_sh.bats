#!/usr/bin/env bats
# install.sh on a host with dokku's own scheduler-k3s: success, every failure, repetition, the way back.

bats_require_minimum_version 1.5.0

setup_file() {
  source "$BATS_TEST_DIRNAME/helper.bash"
  source "$BATS_TEST_DIRNAME/tools.bash"
  SHARED=$(mktemp -d /tmp/standin-tools.XXXXXX)
  export SHARED
  chmod 755 "$SHARED"
  STANDIN=$SHARED
  serve_tools "$SHARED/served"
  use_tools "$SHARED/served"
  "$CHECKOUT/dependencies" >"$SHARED/log" 2>&1 || { cat "$SHARED/log" && return 1; }
}

teardown_file() {
  source "$BATS_TEST_DIRNAME/helper.bash"
  source "$BATS_TEST_DIRNAME/tools.bash"
  stop_serving "$SHARED/served"
  rm -rf "$SHARED"
}

setup() {
  source "$BATS_TEST_DIRNAME/helper.bash"
  source "$BATS_TEST_DIRNAME/tools.bash"
  standin_setup
  use_tools "$SHARED/served"
  cp -a "$SHARED/tools" "$STANDIN/tools"
  mkdir --mode 1777 "$STANDIN/tmp"
  export TMPDIR=$STANDIN/tmp PATH=$PREFIX/bin:$PATH
  URL=$(plugin_repository)
  REPOSITORY=${URL#file://}
  PLUGINS=$DOKKU_LIB_ROOT/plugins
  BEFORE=$(links)
}

teardown() {
  standin_teardown
}

links() {
  for link in plugins/enabled plugins/available core-plugins/enabled; do
    echo "$link $(readlink "$DOKKU_LIB_ROOT/$link/scheduler-k3s")"
  done
}

change() {
  git -C "$REPOSITORY" add --all
  git -C "$REPOSITORY" -c user.name=test -c user.email=test@localhost commit --quiet --allow-empty --message change
}

is_as_before() {
  [ "$(links)" = "$BEFORE" ]
  [ -f "$PLUGINS/enabled/scheduler-k3s/.core" ]
  [ -z "$(find "$TMPDIR" -name plugin)" ]
  dokku scheduler-k3s:report >/dev/null
}

is_ours() {
  [ "$(readlink "$PLUGINS/enabled/scheduler-k3s")" = "$PLUGINS/available/scheduler-k3s" ]
  [ -d "$PLUGINS/available/scheduler-k3s/.git" ]
  [ ! -e "$DOKKU_LIB_ROOT/core-plugins/enabled/scheduler-k3s" ]
  [ -d "$DOKKU_LIB_ROOT/core-plugins/available/scheduler-k3s" ]
  [ -z "$(find "$TMPDIR" -name plugin)" ]
  [ "$(dokku scheduler-k3s:report --global --scheduler-k3s-computed-namespace)" = default ]
}

@test "a plain plugin:install cannot do it" {
  run dokku plugin:install "$URL"
  [ "$status" -ne 0 ]
  [[ $output == *"does not seem to be a git repository"* ]]
}

@test "it installs the plugin from a named repository" {
  dokku apps:create web
  run "$REPOSITORY/install.sh" "$URL"
  echo "$output"
  [ "$status" -eq 0 ]
  [[ $output == *"-----> Fetching the plugin"*"-----> Installing its tools"*"-----> Taking the links"*"-----> Installing the plugin"*"-----> Checking"*"-----> Done"* ]]
  is_ours
  dokku scheduler-k3s:set web namespace x
  run dokku plugin:update scheduler-k3s
  [ "$status" -eq 0 ]
}

@test "without an argument it takes the origin of its clone, from anywhere" {
  git clone --quiet "$URL" "$STANDIN/clone"
  cd /usr
  "$STANDIN/clone/install.sh"
  is_ours
  [ "$(git config --file "$PLUGINS/available/scheduler-k3s/.git/config" remote.origin.url)" = "$URL" ]
}

@test "a directory is a repository too" {
  cd "$(dirname "$REPOSITORY")"
  ./dokku-scheduler-k3s/install.sh dokku-scheduler-k3s
  is_ours
}

@test "it can be repeated, and completes what is missing" {
  "$REPOSITORY/install.sh" "$URL"
  touch "$PLUGINS/available/scheduler-k3s/mine"
  ln -s "$DOKKU_LIB_ROOT/core-plugins/available/scheduler-k3s" "$DOKKU_LIB_ROOT/core-plugins/enabled/scheduler-k3s"
  rm "$STANDIN/tools/bin/helm"
  for words in "" "$URL"; do
    # shellcheck disable=SC2086
    run "$PLUGINS/available/scheduler-k3s/install.sh" $words
    [ "$status" -eq 0 ]
    [[ $output == *"already installed"* ]]
    is_ours
  done
  [ -x "$STANDIN/tools/bin/helm" ]
  [ -e "$PLUGINS/available/scheduler-k3s/mine" ]
}

@test "a second source is refused" {
  "$REPOSITORY/install.sh" "$URL"
  run "$REPOSITORY/install.sh" file:///somewhere/else
  [ "$status" -eq 1 ]
  [[ $output == *"already installed from $URL"*"--restore"* ]]
  is_ours
}

@test "--restore goes back, again and again, and the plugin can come back" {
  dokku apps:create web
  "$REPOSITORY/install.sh" "$URL"
  dokku scheduler-k3s:set web namespace kept
  for _ in 1 2; do
    run "$REPOSITORY/install.sh" --restore
    [ "$status" -eq 0 ]
    is_as_before
    [ ! -e "$PLUGINS/available/scheduler-k3s/.git" ]
  done
  "$REPOSITORY/install.sh" "$URL"
  [ "$(dokku scheduler-k3s:report web --scheduler-k3s-namespace)" = kept ]
}

@test "a repository that cannot be cloned changes nothing" {
  run "$REPOSITORY/install.sh" "file://$STANDIN/none"
  [ "$status" -ne 0 ]
  is_as_before
}

@test "tools that cannot be had change nothing" {
  rm -r "$STANDIN/tools"
  DOKKU_SCHEDULER_K3S_HELM_URL=http://127.0.0.1:1 run "$REPOSITORY/install.sh" "$URL"
  [ "$status" -ne 0 ]
  [[ $output == *"Unable to download http://127.0.0.1:1/"* ]]
  [[ $output != *"Taking the links"* ]]
  is_as_before
}

@test "dokku's own plugin comes back when plugin:install fails" {
  printf '#!/bin/sh\nexit 3\n' >"$REPOSITORY/triggers/install"
  change
  run "$REPOSITORY/install.sh" "$URL"
  [ "$status" -ne 0 ]
  [[ $output == *" !     This failed. Putting dokku's own scheduler-k3s back"* ]]
  is_as_before
}

@test "dokku's own plugin comes back when dokku refuses the address" {
  repository=$STANDIN/bare
  git clone --quiet --bare "$URL" "$repository"
  run "$REPOSITORY/install.sh" "localhost:$repository"
  [ "$status" -ne 0 ]
  is_as_before
}

@test "dokku's own plugin comes back when the new one does not answer" {
  printf '#!/bin/sh\nexit 1\n' >"$REPOSITORY/subcommands/report"
  change
  run "$REPOSITORY/install.sh" "$URL"
  [ "$status" -ne 0 ]
  [[ $output == *"did not answer"* ]]
  is_as_before
}

@test "dokku's own plugin comes back when the new one could not deploy" {
  rm "$REPOSITORY/scheduler-deploy"
  change
  run "$REPOSITORY/install.sh" "$URL"
  [ "$status" -ne 0 ]
  [[ $output == *"does not deploy"* ]]
  is_as_before
}

@test "links that an administrator had taken away stay away after a failure" {
  plugn disable scheduler-k3s
  rm "$DOKKU_LIB_ROOT/core-plugins/enabled/scheduler-k3s"
  BEFORE=$(links)
  printf '#!/bin/sh\nexit 3\n' >"$REPOSITORY/triggers/install"
  change
  run "$REPOSITORY/install.sh" "$URL"
  [ "$status" -ne 0 ]
  [ "$(links)" = "$BEFORE" ]
}

# Starts install.sh with a plugin whose install trigger waits, and returns once it does.
start_and_wait() {
  printf '#!/bin/sh\ntouch %s/waiting\nsleep 20\n' "$STANDIN" >"$REPOSITORY/triggers/install"
  change
  # A shell lets its background jobs ignore INT, which a program cannot undo by itself.
  setsid env --default-signal=INT "$REPOSITORY/install.sh" "$URL" >"$STANDIN/out" 2>&1 3>&- &
  INSTALLER=$!
  for _ in $(seq 100); do
    if [ -e "$STANDIN/waiting" ]; then return; fi
    sleep 0.1
  done
  return 1
}

@test "a signal in the middle brings dokku's own plugin back" {
  for signal in TERM INT HUP; do
    rm -f "$STANDIN/waiting"
    start_and_wait
    kill -s "$signal" -- "-$INSTALLER"
    code=0
    wait "$INSTALLER" || code=$?
    [ "$code" -gt 128 ]
    is_as_before
  done
}

@test "after a kill in the middle the next run installs" {
  start_and_wait
  kill -KILL -- "-$INSTALLER"
  wait "$INSTALLER" || true
  [ "$(links)" != "$BEFORE" ]
  git -C "$REPOSITORY" checkout --quiet HEAD~1 -- triggers/install
  change
  rm -rf "$PLUGINS/available/scheduler-k3s/.git"
  "$REPOSITORY/install.sh" "$URL"
  rm -rf "${TMPDIR:?}"/*
  is_ours
  "$REPOSITORY/install.sh" --restore
  is_as_before
}

@test "hosts that will not do are refused first" {
  run sudo -u dokku "$REPOSITORY/install.sh" "$URL"
  [ "$status" -eq 1 ]
  [ "$output" = " !     This script must be run as root" ]
  mkdir "$STANDIN/old"
  for version in 0.37.12 0.9.4 0.38.27 1.0.0; do
    printf '#!/bin/sh\necho dokku version %s\n' "$version" >"$STANDIN/old/dokku"
    chmod 755 "$STANDIN/old/dokku"
    PATH=$STANDIN/old:$PATH run "$REPOSITORY/install.sh" "file://$STANDIN/none"
    [ "$status" -ne 0 ]
    case $version in
      0.37.12 | 0.9.4) [ "$output" = " !     dokku $version is too old: this plugin needs 0.38 or later" ] ;;
      *) [[ $output != *"too old"* ]] ;;
    esac
  done
  printf '#!/bin/sh\necho nonsense\n' >"$STANDIN/old/dokku"
  PATH=$STANDIN/old:$PATH run "$REPOSITORY/install.sh" "$URL"
  [[ $output == *"Unable to understand the answer of 'dokku version': nonsense" ]]
  DOKKU_LIB_ROOT=$STANDIN/none run "$REPOSITORY/install.sh" "$URL"
  [[ $output == *"There is no $STANDIN/none/plugins/enabled"* ]]
  PATH=/usr/sbin:/usr/bin:/sbin:/bin run "$REPOSITORY/install.sh" "$URL"
  [ "$output" = " !     There is no dokku on this host" ]
  is_as_before
}

@test "an old interpreter is refused" {
  printf '#!/bin/sh\nexit 1\n' >"$STANDIN/python3"
  chmod 755 "$STANDIN/python3"
  # The stand-in dokku needs the real one, so another answers for its version.
  mkdir "$STANDIN/bin"
  printf '#!/bin/sh\necho dokku version 0.38.27\n' >"$STANDIN/bin/dokku"
  chmod 755 "$STANDIN/bin/dokku"
  unshare --mount true 2>/dev/null || skip "no mount namespaces here"
  # shellcheck disable=SC2016
  PATH=$STANDIN/bin:$PATH run unshare --mount sh -c 'mount --bind "$1" "$(readlink -f /usr/bin/python3)" && "$2" "$3"' \
    sh "$STANDIN/python3" "$REPOSITORY/install.sh" "$URL"
  [ "$status" -eq 1 ]
  [ "$output" = " !     /usr/bin/python3 is missing or older than 3.10, which this plugin needs" ]
}

@test "the command line" {
  for word in -h --help; do
    run "$REPOSITORY/install.sh" "$word"
    [ "$status" -eq 0 ]
    [[ $output == "Usage: install.sh [URL]"*"--restore"* ]]
  done
  run "$REPOSITORY/install.sh" --nonsense
  [ "$status" -eq 1 ]
  [[ $output == " !     unknown flag: --nonsense"* ]]
  run "$REPOSITORY/install.sh" "$URL" surplus
  [ "$status" -eq 1 ]
  [ "$output" = " !     Unexpected argument: surplus" ]
  cp "$REPOSITORY/install.sh" "$STANDIN/alone.sh"
  run "$STANDIN/alone.sh"
  [ "$status" -eq 1 ]
  [[ $output == " !     Name the git repository to install from"* ]]
  is_as_before
}
