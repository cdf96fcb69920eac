# How dokku finds a command, what help shows, and who runs what.
# shellcheck disable=SC2016,SC2164,SC2028,SC2154
bats_require_minimum_version 1.5.0
load helper

setup_file() {
  standin_setup
  make_plugin toy
  echo '#!/bin/sh
echo "default:$*"' | entry toy subcommands/default
  echo '#!/bin/sh
printf "<%s>" "$@"; echo " app=$DOKKU_APP_NAME quiet=$DOKKU_QUIET_OUTPUT trace=$DOKKU_TRACE force=$DOKKU_APPS_FORCE_DELETE"' |
    entry toy subcommands/show
  echo '#!/bin/sh
echo "added $*"' | entry toy subcommands/cluster:add
  echo '#!/bin/sh
exit 42' | entry toy subcommands/fail
  echo '#!/bin/sh
if test -t 0; then echo tty-in; else cat; fi; if test -t 1; then echo tty-out; fi' | entry toy subcommands/streams
  echo '#!/bin/sh
echo "$(id -un) $HOME $SSH_USER"' | entry toy subcommands/who
  echo '#!/bin/sh
tr "\0" " " </proc/$PPID/cmdline | grep -q -- --all && all=1
case $1 in
  help) if [ "$all" ]; then echo "    toy:show <app>, Show a toy"; else echo "    toy, Toys"; fi ;;
  toy:help) echo "Usage: dokku toy[:COMMAND]" ;;
  *) exit 10 ;;
esac' | entry toy commands
  # A plugin at the end of the walk shows which commands get to the fallback loop.
  make_plugin zz-last
  install -m 666 /dev/null "$STANDIN/asked"
  echo '#!/bin/sh
[ "$1" = help ] || echo "$*" >>'"$STANDIN/asked"'
case $1 in help) ;; handled) echo handled ;; dies) exit 7 ;; *) exit 10 ;; esac' | entry zz-last commands
  make_plugin aa-first
  echo '#!/bin/sh
case $1 in help) ;; twice) echo first ;; early) exit 5 ;; *) exit 10 ;; esac' | entry aa-first commands
  dokku apps:create app
}

teardown_file() {
  standin_teardown
}

setup() {
  cd "$STANDIN"
  : >asked
}

@test "a bare name is the plugin's default command" {
  [ "$(dokku toy a b)" = 'default:toy a b' ]
}

@test "the file is what follows the first colon, argument 1 the whole command" {
  [ "$(dokku toy:show 'a b' '')" = '<toy:show><a b><> app= quiet= trace= force=' ]
  [ "$(dokku toy:cluster:add x)" = 'added toy:cluster:add x' ]
}

@test "the exit code and the streams are the user's" {
  run dokku toy:fail
  [ "$status" -eq 42 ]
  [ "$(echo in | dokku toy:streams)" = in ]
  [[ $(on_terminal "$PREFIX/bin/dokku" toy:streams) == *tty-in*tty-out* ]]
}

@test "what has no file is offered to every commands program, with all words" {
  run dokku nosuch:cmd a --app app
  [ "$status" -eq 1 ]
  [ "$(cat asked)" = 'nosuch:cmd a --app app' ]
  run dokku toy:nosuch
  [ "$status" -eq 1 ]
  grep -qx toy:nosuch asked
}

@test "nobody's command: two lines on stderr, exit 1" {
  run --separate-stderr dokku nosuch:cmd a
  [ "$status" -eq 1 ]
  [ -z "$output" ]
  [ "${#stderr_lines[@]}" -eq 2 ]
  [ "$(stderr_of dokku nosuch:cmd a | head -n 1)" = ' !     `nosuch:cmd a` is not a dokku command.' ]
}

@test "exit 0 counts as handled and the loop goes on; another code ends dokku at once" {
  [ "$(dokku handled)" = handled ]
  [ "$(dokku twice)" = first ]
  grep -qx twice asked
  run dokku early
  [ "$status" -eq 5 ]
  run ! grep -q early asked
  run dokku dies
  [ "$status" -eq 7 ]
}

@test "k3s is another spelling of scheduler-k3s" {
  [ "$(dokku --quiet k3s)" = "$(dokku --quiet scheduler-k3s)" ]
  local subcommand=$DOKKU_LIB_ROOT/plugins/available/scheduler-k3s/subcommands/echo
  printf '#!/bin/sh\necho "$*"\n' >"$subcommand"
  chmod 755 "$subcommand"
  [ "$(dokku k3s:echo x)" = 'scheduler-k3s:echo x' ]
  rm "$subcommand"
}

@test "global flags count anywhere, behind -- too; leading ones are gone from argv" {
  [ "$(dokku --quiet --trace --force --app a1 toy:show x)" = '<toy:show><x> app=a1 quiet=1 trace=1 force=1' ]
  [ "$(dokku toy:show x --quiet -- --app a2 --force --trace)" = \
    '<toy:show><x><--quiet><--><--app><a2><--force><--trace> app=a2 quiet=1 trace=1 force=1' ]
}

@test "--app before a core plugin's command becomes its first argument" {
  dokku --app app ps:scale --skip-deploy web=3
  [ "$(dokku --quiet ps:scale app | tail -n 1)" = 'web: 3' ]
}

@test "--app behind a core plugin's command is an unknown flag" {
  run dokku ps:scale --app app web=1
  [ "$status" -ne 0 ]
  [[ $output == *'unknown flag: --app'* ]]
}

@test "the app is not inserted for a community plugin" {
  [ "$(dokku --app app toy:show x)" = '<toy:show><x> app=app quiet= trace= force=' ]
}

@test "--app later in a run command decides where it runs" {
  make_plugin scheduler-toy
  record scheduler-toy scheduler-run
  dokku apps:create other
  dokku scheduler:set --global selected toy
  dokku run app cmd --app other
  [ "$(calls)" = 'scheduler-run|toy|other|0|--|app|cmd|--app|other' ]
  dokku scheduler:set --global selected
}

@test "DOKKU_GLOBAL_FLAGS holds the flags of the first command line" {
  echo '#!/bin/sh
echo "[$DOKKU_GLOBAL_FLAGS] $DOKKU_COMMAND"' | entry toy subcommands/flags
  [ "$(dokku toy:flags)" = '[] toy:flags' ]
  [ "$(dokku --quiet toy:flags x --app app --other)" = '[--quiet --app=app --other] toy:flags' ]
}

@test "help lists summaries of core plugins and whole lines of community plugins, in columns" {
  run dokku help
  [ "$status" -eq 0 ]
  [[ $output =~ $'\n    ps '\ +Show ]]
  [[ $output != *ps:scale* ]]
  [[ $output == *'Community plugin commands:'*'toy'*'Toys'* ]]
  [ "$(grep -n 'Community plugin commands:' <<<"$output" | cut -d: -f1)" -lt "$(grep -n ' toy ' <<<"$output" | cut -d: -f1)" ]
  [[ $(grep ' toy ' <<<"$output") != *,* ]]
}

@test "help --all lists every command, and plugins see it in their parent's command line" {
  run dokku help --all
  [ "$status" -eq 0 ]
  [[ $output == *'ps:scale'* ]]
  [[ $output == *'toy:show <app>'*'Show a toy'* ]]
  [ "$(dokku help --all | sed -n 's/^    \([a-z-]*:[a-z-]*\) .*/\1/p' | sed '/^toy/d' | sort -c && echo sorted)" = sorted ]
}

@test "help fails when a plugin's help does, and on a directory named commands" {
  make_plugin broken
  printf '#!/bin/sh\nexit 3\n' | entry broken commands
  run dokku help
  [ "$status" -ne 0 ]
  rm "$DOKKU_LIB_ROOT/plugins/available/broken/commands"
  mkdir -p "$DOKKU_LIB_ROOT/plugins/available/broken/lib/commands"
  run dokku help
  [ "$status" -eq 126 ]
  rm -r "$DOKKU_LIB_ROOT/plugins/available/broken/lib"
}

@test "help runs a file named commands anywhere below a plugin" {
  mkdir -p "$DOKKU_LIB_ROOT/plugins/available/toy/deep/er"
  printf '#!/bin/sh\necho "    deep, Found"\n' >"$DOKKU_LIB_ROOT/plugins/available/toy/deep/er/commands"
  chmod 755 "$DOKKU_LIB_ROOT/plugins/available/toy/deep/er/commands"
  [[ $(dokku help) == *Found* ]]
  rm -r "$DOKKU_LIB_ROOT/plugins/available/toy/deep"
}

@test "a core plugin's own help" {
  run dokku ps:help
  [ "${lines[0]}" = 'Usage: dokku ps[:COMMAND]' ]
  [[ $output == *'Additional commands:'*'    ps:scale '* ]]
}

@test "commands run as user dokku, at home in DOKKU_ROOT, knowing who asked" {
  [ "$(dokku toy:who)" = "dokku $DOKKU_ROOT root" ]
}

@test "plugin commands stay root and need root" {
  run --separate-stderr setpriv --reuid=dokku --regid=dokku --init-groups "$PREFIX/bin/dokku" plugin:install x
  [ "$status" -eq 1 ]
  [ -z "$output" ]
  for command in plugin:installed ssh-keys:add ssh-keys:remove scheduler-k3s:initialize scheduler-k3s:uninstall; do
    run setpriv --reuid=dokku --regid=dokku --init-groups "$PREFIX/bin/dokku" "$command" x
    [ "$status" -eq 1 ]
    [ "$output" = ' !     This command must be run as root' ]
  done
  for command in plugin:list plugin:help; do
    setpriv --reuid=dokku --regid=dokku --init-groups "$PREFIX/bin/dokku" "$command" >/dev/null
  done
}

@test "the root rule goes by the word as typed" {
  local subcommand=$DOKKU_LIB_ROOT/plugins/available/scheduler-k3s/subcommands/initialize
  printf '#!/bin/sh\nid -un\n' >"$subcommand"
  chmod 755 "$subcommand"
  [ "$(dokku scheduler-k3s:initialize)" = root ]
  [ "$(dokku k3s:initialize)" = dokku ]
  rm "$subcommand"
}

@test "plugin:trigger drops to dokku" {
  echo '#!/bin/sh
echo "$(id -un) $HOME $*"' | entry toy tell
  [ "$(trigger tell 'a b')" = "dokku $DOKKU_ROOT a b" ]
}

@test "dokku needs nothing of its caller's environment" {
  run env -i "$PREFIX/bin/dokku" apps:exists app
  [ "$status" -eq 0 ]
}
