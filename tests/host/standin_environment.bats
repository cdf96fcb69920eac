# Variables, streams, exit codes and messages as commands and triggers see them.
# shellcheck disable=SC2016,SC2164,SC1091
bats_require_minimum_version 1.5.0
load helper

setup_file() {
  standin_setup
  make_plugin scheduler-toy
  dokku scheduler:set --global selected toy
  dokku apps:create app
  as_dokku "$DOKKU_LIB_ROOT/core-plugins/available/common/prop" set common app deployed true
}

teardown_file() {
  standin_teardown
}

setup() {
  cd "$STANDIN"
}

# Lets the toy scheduler answer trigger $1 with the script on stdin.
answer() {
  { echo '#!/bin/sh'; cat; } | entry scheduler-toy "$1"
}

teardown() {
  find "$DOKKU_LIB_ROOT/plugins/available/scheduler-toy" -maxdepth 1 -type f -name 'scheduler-*' -delete
}

@test "the variables of every command" {
  local lib=$DOKKU_LIB_ROOT expected
  answer scheduler-inspect <<<'env | sort'
  run dokku ps:inspect app
  for expected in "DOKKU_ROOT=$DOKKU_ROOT" "DOKKU_HOST_ROOT=$DOKKU_ROOT" "DOKKU_LIB_ROOT=$lib" \
    "PLUGIN_PATH=$lib/plugins" "PLUGIN_AVAILABLE_PATH=$lib/plugins/available" "PLUGIN_ENABLED_PATH=$lib/plugins/enabled" \
    "PLUGIN_CORE_PATH=$lib/core-plugins" "PLUGIN_CORE_AVAILABLE_PATH=$lib/core-plugins/available" \
    "PLUGIN_CORE_ENABLED_PATH=$lib/core-plugins/enabled" DOKKU_SYSTEM_USER=dokku DOKKU_SYSTEM_GROUP=dokku \
    DOKKU_NOT_IMPLEMENTED_EXIT=10 DOKKU_VALID_EXIT=0 DOKKU_API_VERSION=1 DOCKER_BIN=docker \
    "DOKKU_DISTRO=$(. /etc/os-release && echo "$ID")" DOKKU_CONTAINER_LABEL=dokku DOKKU_COMMAND=ps:inspect \
    SSH_USER=root SSH_NAME=default DOKKU_GLOBAL_FLAGS= "HOME=$DOKKU_ROOT"; do
    grep -qxF -- "$expected" <<<"$output" || { echo "missing: $expected"; false; }
  done
  for expected in DOKKU_IMAGE DOKKU_CNB_BUILDER DOKKU_GLOBAL_BUILD_ARGS DOKKU_GLOBAL_RUN_ARGS DOKKU_LOGS_DIR \
    DOKKU_LOGS_HOST_DIR DOKKU_EVENTS_LOGFILE DOKKU_PID; do
    grep -q "^$expected=." <<<"$output" || { echo "missing: $expected"; false; }
  done
  for expected in DOKKU_QUIET_OUTPUT DOKKU_TRACE DOKKU_APPS_FORCE_DELETE DOKKU_APP_NAME SSH_ORIGINAL_COMMAND; do
    [[ $'\n'$output != *$'\n'"$expected="* ]]
  done
}

@test "no terminal does not mean quiet" {
  answer scheduler-inspect <<<'echo "quiet=$DOKKU_QUIET_OUTPUT"'
  [ "$(dokku ps:inspect app </dev/null | cat)" = quiet= ]
}

@test "settings files of the administrator are read first" {
  echo "export DOCKER_BIN=/usr/bin/other" >"$DOKKU_ROOT/dokkurc"
  mkdir -p "$DOKKU_ROOT/.dokkurc"
  echo "export FROM_DIRECTORY=yes" >"$DOKKU_ROOT/.dokkurc/X"
  answer scheduler-inspect <<<'echo "$DOCKER_BIN $FROM_DIRECTORY"'
  [ "$(dokku ps:inspect app)" = '/usr/bin/other yes' ]
  rm -r "$DOKKU_ROOT/dokkurc" "$DOKKU_ROOT/.dokkurc"
}

@test "trace:on and trace:off" {
  answer scheduler-inspect <<<'echo "trace=$DOKKU_TRACE"'
  dokku trace:on
  [ "$(dokku ps:inspect app)" = trace=1 ]
  dokku trace:off
  [ "$(dokku ps:inspect app)" = trace= ]
}

@test "DOKKU_PID is the outermost dokku's, but new for another user" {
  answer scheduler-inspect <<<'echo "$DOKKU_PID"; dokku cron:set app mailto x >/dev/null'
  answer scheduler-cron-write <<<'echo "inner $DOKKU_PID" >&2'
  run dokku ps:inspect app
  [ "inner ${lines[0]}" = "${lines[1]}" ]
  [ "$(DOKKU_PID=1 dokku ps:inspect app 2>/dev/null)" != 1 ]
}

@test "run: the user's streams and exit code" {
  answer scheduler-run <<<'shift 4; exec "$@"'
  run dokku run app sh -c 'exit 42'
  [ "$status" -eq 42 ]
  [ "$(printf 'a\nb' | dokku run app cat)" = $'a\nb' ]
  [ "$(stderr_of dokku run app sh -c 'echo oops >&2; exit 3')" = oops ]
  [[ $(on_terminal "$PREFIX/bin/dokku" run app sh -c 'test -t 0 && test -t 1 && test -t 2 && echo all') == *all* ]]
}

@test "run: variables" {
  answer scheduler-run <<<'env | grep -E "^DOKKU_(FORCE_TTY|DISABLE_TTY|DETACH|RM_|CRON_ID|CONC|RUN_TTL)" | sort'
  [ "$(dokku run app x)" = "$(printf '%s\n' DOKKU_CONCURRENCY_POLICY=allow DOKKU_CRON_ID= DOKKU_RM_CONTAINER=1 \
    DOKKU_RUN_TTL_SECONDS=86400)" ]
  [ "$(dokku run --force-tty --ttl-seconds 5 --cron-id i --concurrency-policy forbid app x)" = "$(printf '%s\n' \
    DOKKU_CONCURRENCY_POLICY=forbid DOKKU_CRON_ID=i DOKKU_FORCE_TTY=true DOKKU_RM_CONTAINER=1 DOKKU_RUN_TTL_SECONDS=5)" ]
  [[ $(dokku run --no-tty app x) == *DOKKU_DISABLE_TTY=true* ]]
  run dokku run:detached app x
  [[ $output == *DOKKU_DETACH_CONTAINER=1* && $output == *DOKKU_DISABLE_TTY=true* && $output == *DOKKU_RM_CONTAINER=1* ]]
}

@test "run --ttl-seconds and -e come before the app" {
  record scheduler-toy scheduler-run
  : >calls
  dokku run -e A=1 --env B='x y' app cmd -e C=2
  dokku run app
  [ "$(calls)" = "$(printf 'scheduler-run|toy|app|2|A=1|B=x y|--|cmd|-e|C=2\nscheduler-run|toy|app|0|--')" ]
}

@test "Go callers: stdin is /dev/null, stdout and stderr are pipes" {
  answer scheduler-inspect <<<'cat; for n in 0 1 2; do echo "$n $(readlink /proc/self/fd/$n)"; done; readlink /proc/$$/fd/2'
  run bash -c "echo unseen | '$PREFIX/bin/dokku' ps:inspect app"
  [ "${lines[0]}" = '0 /dev/null' ]
  [[ ${lines[3]} == pipe:* ]]
}

@test "Go callers: with a terminal as stdout stdin is the user's, stdout a pipe all the same" {
  answer scheduler-inspect <<<'test -t 0 && echo in; test -t 1 || echo out-is-none; test -t 2 || echo err-is-none'
  run on_terminal "$PREFIX/bin/dokku" ps:inspect app
  [[ $output == *in*out-is-none*err-is-none* ]]
}

@test "Go callers: any failure is exit 1, and stderr is said twice" {
  answer scheduler-inspect <<<'echo shown; echo " !     oops" >&2; exit 42'
  run --separate-stderr dokku ps:inspect app
  [ "$status" -eq 1 ]
  [ "$output" = shown ]
  [ "$(stderr_of dokku ps:inspect app)" = $' !     oops\n !     !     oops' ]
}

@test "Go callers: output is passed on live" {
  mkfifo "$BATS_TEST_TMPDIR/go"
  chmod 777 "$BATS_TEST_TMPDIR" "$BATS_TEST_TMPDIR/go" "$BATS_RUN_TMPDIR" "$BATS_FILE_TMPDIR" "$(dirname "$BATS_TEST_TMPDIR")"
  answer scheduler-inspect <<<"echo first; cat '$BATS_TEST_TMPDIR/go'"
  coproc dokku ps:inspect app
  read -r -t 30 line <&"${COPROC[0]}"
  [ "$line" = first ]
  echo second >"$BATS_TEST_TMPDIR/go"
  read -r -t 30 line <&"${COPROC[0]}"
  [ "$line" = second ]
}

# Whether a closed pipe ends a program, as `grep SigIgn /proc/self/status` tells.
dies_of_sigpipe() {
  local mask=${1##*[[:space:]]}
  (((16#$mask & 0x1000) == 0))
}

@test "SIGPIPE is not ignored on behalf of a trigger" {
  answer scheduler-inspect <<<'grep SigIgn /proc/self/status'
  dies_of_sigpipe "$(dokku ps:inspect app)"
  answer scheduler-run <<<'grep SigIgn /proc/self/status'
  dies_of_sigpipe "$(dokku run app)"
  # The status is asked without plugn.
  answer scheduler-app-status <<<'printf "1 "; grep SigIgn /proc/self/status | tr -d " \t\n"'
  dies_of_sigpipe "$(dokku ps:report app --ps-running | tr : ' ')"
}

@test "logs: exit 1, stderr once, no terminal, FORCE_TTY on one" {
  answer scheduler-logs <<<'echo "tty=$FORCE_TTY"; test -t 1 && echo terminal; echo " !     oops" >&2; exit 42'
  run dokku logs app
  [ "$status" -eq 1 ]
  [ "$output" = $'tty=\n !     oops' ]
  run on_terminal "$PREFIX/bin/dokku" logs app
  [[ $output == *tty=1* && $output != *terminal* ]]
}

@test "logs: arguments" {
  record scheduler-toy scheduler-logs
  : >calls
  dokku logs app
  dokku logs app -t -n 5 -p web.1 -q
  dokku logs --tail --num 7 --ps web --quiet app
  [ "$(calls)" = "$(printf 'scheduler-logs|toy|app|%s\n' '|false|false|100' 'web.1|true|true|5' 'web|true|true|7')" ]
}

@test "cron:run: no stdin of the user's, exit 1, stderr once" {
  mkdir -p "$DOKKU_LIB_ROOT/data/app-json/app"
  echo '{"cron": [{"command": "do it \"a b\"", "schedule": "@daily", "concurrency_policy": "forbid"}]}' \
    >"$DOKKU_LIB_ROOT/data/app-json/app/app.json"
  id=$(dokku cron:list app --format json | jq -r '.[0].id')
  answer scheduler-run <<<'printf "<%s>" "$@"; echo " $DOKKU_CRON_ID $DOKKU_CONCURRENCY_POLICY $(cat)"; echo oops >&2; exit 7'
  run bash -c "echo unseen | '$PREFIX/bin/dokku' cron:run app $id"
  [ "$status" -eq 1 ]
  [ "$output" = "<toy><app><0><--><do><it><a b> $id forbid"$' \noops' ]
  answer scheduler-run <<<'echo "$DOKKU_DETACH_CONTAINER $DOKKU_DISABLE_TTY $DOKKU_RM_CONTAINER $DOKKU_RUN_TTL_SECONDS"'
  [ "$(dokku cron:run app "$id")" = '  1 86400' ]
  [ "$(dokku cron:run app "$id" --detach --ttl-seconds 9)" = '1 true 1 9' ]
}

@test "storage:exec: the exit code is passed on, stdin is not the user's" {
  dokku storage:create vol
  sed -i 's/docker-local/toy/' "$DOKKU_LIB_ROOT/data/storage-registry/entries/vol.json"
  answer scheduler-storage-exec <<<'printf "<%s>" "$@"; cat; exit 42'
  run bash -c "echo unseen | '$PREFIX/bin/dokku' storage:exec vol --image busybox --as-user 7 -- ls -l 'a b'"
  [ "$status" -eq 42 ]
  [[ $output == '<toy><vol><busybox><--interactive=false><--tty=false><--as-user><7><--><ls><-l><a b>'* ]]
  [[ $output != *unseen* ]]
  # /dev/null is a character device, and so taken for a terminal.
  run dokku storage:exec vol </dev/null
  [[ $output == '<toy><vol><alpine:latest><--interactive=true><--tty=false>'* ]]
}

@test "config:set and domains:enable report a deploy that fails, and succeed" {
  echo '#!/bin/sh
echo " !     no deploy" >&2; exit 3' | entry scheduler-toy release-and-deploy
  mv "$DOKKU_LIB_ROOT/core-plugins/available/builder/release-and-deploy" kept
  run --separate-stderr dokku config:set app A=1
  [ "$status" -eq 0 ]
  [[ $stderr == *'!     Failure while restarting app: '*'no deploy'* ]]
  run --separate-stderr dokku domains:enable app
  [ "$status" -eq 0 ]
  [[ $stderr == *'Failure while restarting app: '* ]]
  run --separate-stderr dokku config:set --no-restart app A=2
  [ -z "$stderr" ]
  mv kept "$DOKKU_LIB_ROOT/core-plugins/available/builder/release-and-deploy"
  rm "$DOKKU_LIB_ROOT/plugins/available/scheduler-toy/release-and-deploy"
}

@test "--quiet silences steps, headlines and details, but no data and no failure" {
  dokku config:set --no-restart app B=1 | grep -q -e '-----> '
  [ -z "$(dokku --quiet config:set --no-restart app B=2)" ]
  [ "$(dokku --quiet config:get app B)" = 2 ]
  [ "$(stderr_of dokku --quiet apps:exists nosuch)" = ' !     App nosuch does not exist' ]
}

@test "an unknown app: message and exit 20" {
  for command in 'apps:exists nosuch' 'ps:report nosuch' 'config:set nosuch A=1' 'logs nosuch' 'run nosuch x'; do
    # shellcheck disable=SC2086
    run dokku $command
    [ "$status" -eq 20 ]
    [ "$output" = ' !     App nosuch does not exist' ]
  done
}

@test "app names" {
  for name in Upper -x a_b 'a b' '../x' .x; do
    run dokku apps:create "$name"
    [ "$status" -ne 0 ]
  done
  dokku apps:create 1.a-b
  mkdir "$DOKKU_ROOT/old_style"
  dokku apps:exists old_style
  rmdir "$DOKKU_ROOT/old_style"
}

@test "user-auth-app filters apps" {
  dokku apps:create mine
  make_plugin auth
  echo '#!/bin/sh
echo "$1 $2" >'"$STANDIN"'/home-asked; shift 2; for app in "$@"; do [ "$app" != mine ] || echo mine; done' |
    entry auth user-auth-app
  install -m 666 /dev/null home-asked
  [ "$(dokku --quiet apps:list)" = mine ]
  [ "$(cat home-asked)" = 'root default' ]
  run dokku apps:exists app
  [ "$status" -eq 20 ]
  [ "$(trigger app-list)" = mine ]
  [[ $(trigger app-list false) == *app*mine* ]]
  rm -r "$DOKKU_LIB_ROOT/plugins/enabled/auth"
}

@test "the program common checks names silently" {
  local common=$DOKKU_LIB_ROOT/core-plugins/available/common/common
  run as_dokku "$common" --quiet verify-app-name app
  [ "$status" -eq 0 ]
  [ -z "$output" ]
  run as_dokku "$common" --quiet verify-app-name nosuch
  [ "$status" -eq 20 ]
  [ -z "$output" ]
  run as_dokku "$common" --quiet verify-app-name 'A b'
  [ "$status" -eq 1 ]
  [ -z "$output" ]
}

@test "no apps: a warning, and success" {
  mv "$DOKKU_ROOT" away
  mkdir "$DOKKU_ROOT"
  chown dokku "$DOKKU_ROOT"
  run dokku apps:list
  [ "$status" -eq 0 ]
  [ "$output" = " !     You haven't deployed any applications yet" ]
  rm -r "$DOKKU_ROOT"
  mv away "$DOKKU_ROOT"
}

@test "reports: text, JSON, one value, refusals" {
  run dokku scheduler:report app
  [ "${lines[0]}" = '=====> app scheduler information' ]
  [ "${lines[1]}" = '       Scheduler computed selected:   toy' ]
  [ "$(dokku --quiet scheduler:report app | head -n 1)" = "${lines[1]}" ]
  [ "$(dokku scheduler:report app --scheduler-computed-selected)" = toy ]
  [ "$(dokku scheduler:report app --format json | jq -r '."computed-selected", ."scheduler-computed-selected"')" = $'toy\ntoy' ]
  [ "$(dokku scheduler:report app --format json | jq -r 'map(type) | unique | .[]')" = string ]
  run dokku scheduler:report app --nosuch
  [ "$status" -eq 1 ]
  [[ $output == ' !     Invalid flag passed, valid flags: --scheduler-computed-selected, '* ]]
  run dokku scheduler:report app --format json --scheduler-selected
  [ "$output" = ' !     --format flag cannot be specified when specifying an info flag' ]
  run dokku scheduler:report app --scheduler-selected --scheduler-shell
  [ "$output" = ' !     scheduler:report command allows only a single flag' ]
}

@test "a report's column is as wide as its longest flag" {
  run dokku ports:report app
  [ "${lines[1]}" = '       Ports map:                     ' ]
  # --ps-computed-dockerfile-start-cmd has 34 characters.
  answer scheduler-app-status <<<'printf "1 true"'
  dokku ps:report app | grep -qx '       Ps running:                       true'
}

@test "set: messages" {
  [ "$(dokku scheduler:set app shell /bin/sh)" = '=====> Setting shell to /bin/sh' ]
  [ "$(cat "$DOKKU_LIB_ROOT/config/scheduler/app/shell")" = /bin/sh ]
  [ "$(dokku scheduler:set app shell)" = '=====> Unsetting shell' ]
  [ ! -e "$DOKKU_LIB_ROOT/config/scheduler/app/shell" ]
  run dokku scheduler:set app
  [ "$output" = ' !     No property specified' ]
  run dokku scheduler:set app nosuch x
  [ "$output" = ' !     Invalid property specified, valid properties include: selected, shell' ]
  run dokku registry:set --global image-repo x
  [ "$output" = ' !     Property cannot be specified globally' ]
}
