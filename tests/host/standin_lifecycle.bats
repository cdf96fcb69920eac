# Installing, updating and removing plugins, and replacing the core plugin scheduler-k3s.
# shellcheck disable=SC2016,SC2164
bats_require_minimum_version 1.5.0
load helper

setup() {
  standin_setup
  available=$DOKKU_LIB_ROOT/plugins/available
  enabled=$DOKKU_LIB_ROOT/plugins/enabled
}

teardown() {
  standin_teardown
}

# A git repository of a plugin that notes its lifecycle triggers; its name is $1.
toy_repository() {
  local source=$STANDIN/src/$1 name
  mkdir -p "$source/subcommands"
  printf '[plugin]\ndescription = "toy"\nversion = "0.1.0"\n[plugin.config]\n' >"$source/plugin.toml"
  printf '#!/bin/sh\necho version 1\n' >"$source/subcommands/default"
  : >"$STANDIN/calls"
  chmod 666 "$STANDIN/calls"
  for name in install update uninstall dependencies; do
    printf '#!/bin/sh\necho "%s|$*|$(id -un)|$PLUGIN_PATH" >>%s/calls\n' "$name" "$STANDIN" >"$source/$name"
  done
  printf '#!/bin/sh\n[ "$1" = help ] || exit 10\necho "    toy, Toys"\nid -un >>%s/helped\n' "$STANDIN" >"$source/commands"
  chmod 755 "$source"/{install,update,uninstall,dependencies,commands,subcommands/default}
  install -m 666 /dev/null "$STANDIN/helped"
  repository_of "$source"
}

@test "plugin:install takes URLs only" {
  run dokku plugin:install /tmp/toy
  [ "$status" -eq 1 ]
  [ "$output" = ' !     First argument must be --core or url to plugin' ]
}

@test "plugin:install clones, enables, fires install for all as root, and reads everybody's help as dokku" {
  toy_repository dokku-toy.git
  make_plugin other
  echo '#!/bin/sh
echo "other $(id -un)" >>"'"$STANDIN"'/calls"' | entry other install
  run dokku plugin:install "file://$STANDIN/src/dokku-toy.git"
  [ "$status" -eq 0 ]
  [ "${lines[0]}" = "-----> Cloning plugin repo file://$STANDIN/src/dokku-toy.git to $available/toy" ]
  [ "${lines[1]}" = '-----> Plugin toy enabled' ]
  [ "$(calls)" = "$(printf 'other root\ninstall||root|%s/plugins' "$DOKKU_LIB_ROOT")" ]
  [ "$(dokku toy)" = 'version 1' ]
  [ "$(sort -u "$STANDIN/helped")" = dokku ]
  [ -d "$available/toy/.git" ]
  [ "$(readlink "$enabled/toy")" = "$available/toy" ]
  [ "$(stat -c %U:%G "$available/toy/plugin.toml")" = dokku:dokku ]
}

@test "--name and --skip-install-trigger" {
  toy_repository whatever
  dokku plugin:install "file://$STANDIN/src/whatever" --name toy --skip-install-trigger
  [ -d "$available/toy" ]
  [ -z "$(calls)" ]
}

@test "installing what is enabled already fails" {
  toy_repository toy
  dokku plugin:install "file://$STANDIN/src/toy"
  run dokku plugin:install "file://$STANDIN/src/toy"
  [ "$status" -eq 1 ]
  [[ $output == *' !     Plugin already enabled'* ]]
  cp -r src/toy src/elsewhere
  run dokku plugin:install "file://$STANDIN/src/elsewhere" --name toy
  [ "$status" -eq 1 ]
}

@test "without a URL only the install triggers fire" {
  toy_repository toy
  dokku plugin:install "file://$STANDIN/src/toy" --skip-install-trigger
  dokku plugin:install
  [ "$(calls | cut -d'|' -f1)" = install ]
}

@test "a tarball is unpacked into the plugin's directory" {
  toy_repository toy
  tar -czf toy.tar.gz -C src/toy .
  dokku plugin:install "file://$STANDIN/toy.tar.gz" --name toy
  [ "$(dokku toy)" = 'version 1' ]
}

@test "a tarball named like a core plugin lands in the core plugin" {
  toy_repository toy
  tar -czf toy.tar.gz -C src/toy .
  run dokku plugin:install "file://$STANDIN/toy.tar.gz" --name scheduler-k3s
  [ "$status" -eq 1 ]
  [ -e "$DOKKU_LIB_ROOT/core-plugins/available/scheduler-k3s/uninstall" ]
}

@test "an install trigger or a help that fails makes the command fail" {
  toy_repository toy
  printf '#!/bin/sh\nexit 9\n' >src/toy/install
  git -C src/toy -c user.name=t -c user.email=t@t commit -qam broken
  run dokku plugin:install "file://$STANDIN/src/toy"
  [ "$status" -eq 9 ]
  printf '#!/bin/sh\nexit 0\n' >"$available/toy/install"
  printf '#!/bin/sh\nexit 3\n' >"$available/toy/commands"
  run dokku plugin:install
  [ "$status" -ne 0 ]
}

@test "--committish checks out, and update then waits for another one" {
  toy_repository toy
  git -C src/toy tag v1
  printf '#!/bin/sh\necho version 2\n' >src/toy/subcommands/default
  git -C src/toy -c user.name=t -c user.email=t@t commit -qam 2
  dokku plugin:install "file://$STANDIN/src/toy" --committish v1
  [ "$(dokku toy)" = 'version 1' ]
  [ "$(cat "$available/toy/.plugin_committish")" = v1 ]
  dokku plugin:update toy
  [ "$(dokku toy)" = 'version 1' ]
  dokku plugin:update toy master
  [ "$(dokku toy)" = 'version 2' ]
}

@test "plugin:update pulls and fires update" {
  toy_repository toy
  dokku plugin:install "file://$STANDIN/src/toy" --skip-install-trigger
  printf '#!/bin/sh\necho version 2\n' >src/toy/subcommands/default
  git -C src/toy -c user.name=t -c user.email=t@t commit -qam 2
  dokku plugin:update toy
  [ "$(dokku toy)" = 'version 2' ]
  [ "$(calls | cut -d'|' -f1-3)" = 'update||root' ]
}

@test "plugin:disable, plugin:enable, plugin:uninstall of a community plugin" {
  toy_repository toy
  dokku plugin:install "file://$STANDIN/src/toy" --skip-install-trigger
  dokku plugin:disable toy
  [ ! -e "$enabled/toy" ]
  run dokku toy
  [ "$status" -eq 1 ]
  dokku plugin:enable toy
  [ "$(dokku toy)" = 'version 1' ]
  run dokku plugin:enable toy
  [ "$status" -eq 1 ]
  dokku plugin:uninstall toy
  [ "$(calls | cut -d'|' -f1-3)" = 'uninstall|toy|root' ]
  [ ! -e "$available/toy" ]
}

@test "uninstall is sent to all plugins with the name of the one that goes" {
  toy_repository toy
  dokku plugin:install "file://$STANDIN/src/toy" --skip-install-trigger
  make_plugin gone
  dokku plugin:uninstall gone
  [ "$(calls | cut -d'|' -f1-2)" = 'uninstall|gone' ]
}

@test "core plugins cannot be disabled, uninstalled or updated" {
  run dokku plugin:disable scheduler-k3s
  [ "$status" -eq 1 ]
  [ "$output" = ' !     Cannot disable a core plugin' ]
  run dokku plugin:uninstall scheduler-k3s
  [ "$status" -eq 1 ]
  [ "$output" = ' !     Cannot uninstall a core plugin' ]
  run dokku plugin:update scheduler-k3s
  [ "$status" -eq 1 ]
  [ "$output" = ' !     Cannot trigger plugin:update against core plugin, please update Dokku instead' ]
}

@test "plugin:installed, plugin:list" {
  dokku plugin:installed scheduler-k3s
  run dokku plugin:installed scheduler
  [ "$status" -eq 0 ]
  run dokku plugin:installed sched
  [ "$status" -eq 1 ]
  [[ $(dokku plugin:list) == *scheduler-k3s*0.38.27*enabled* ]]
}

@test "dependencies fire on plugin:install-dependencies alone" {
  toy_repository toy
  dokku plugin:install "file://$STANDIN/src/toy"
  [ -z "$(calls dependencies)" ]
  dokku plugin:install-dependencies
  [ "$(calls dependencies | cut -d'|' -f1,3)" = 'dependencies|root' ]
}

@test "--core fires below core-plugins only" {
  toy_repository toy
  dokku plugin:install "file://$STANDIN/src/toy" --skip-install-trigger
  printf '#!/bin/sh\necho "core $PLUGIN_PATH" >>%s/calls\n' "$STANDIN" >"$DOKKU_LIB_ROOT/core-plugins/available/scheduler-k3s/install"
  chmod 755 "$DOKKU_LIB_ROOT/core-plugins/available/scheduler-k3s/install"
  dokku plugin:install --core
  [ "$(calls)" = "core $DOKKU_LIB_ROOT/core-plugins" ]
  : >calls
  dokku plugin:install
  [ "$(calls | sort)" = "$(printf 'core %s/plugins\ninstall||root|%s/plugins' "$DOKKU_LIB_ROOT" "$DOKKU_LIB_ROOT")" ]
}

@test "replacing scheduler-k3s: a plain install fails" {
  toy_repository dokku-scheduler-k3s
  run dokku plugin:install "file://$STANDIN/src/dokku-scheduler-k3s"
  [ "$status" -eq 1 ]
  [[ $output == *'scheduler-k3s is already installed, but it does not seem to be a git repository'* ]]
  [[ $(dokku scheduler-k3s) == *shipped* ]]
}

@test "replacing scheduler-k3s: the three commands" {
  toy_repository dokku-scheduler-k3s
  plugn uninstall scheduler-k3s
  [ ! -L "$available/scheduler-k3s" ]
  [ ! -L "$enabled/scheduler-k3s" ]
  [ -f "$DOKKU_LIB_ROOT/core-plugins/available/scheduler-k3s/plugin.toml" ]
  rm -f "$DOKKU_LIB_ROOT/core-plugins/enabled/scheduler-k3s"
  dokku plugin:install "file://$STANDIN/src/dokku-scheduler-k3s"
  [ "$(dokku scheduler-k3s)" = 'version 1' ]
  [ "$(dokku k3s)" = 'version 1' ]
  [[ $(dokku help) == *'Community plugin commands:'*toy* ]]
  [ "$(calls | cut -d'|' -f1)" = install ]
}

@test "the replaced plugin is updated as a community plugin, but dokku still refuses to remove it" {
  toy_repository dokku-scheduler-k3s
  plugn uninstall scheduler-k3s
  dokku plugin:install "file://$STANDIN/src/dokku-scheduler-k3s" --skip-install-trigger
  run dokku plugin:update scheduler-k3s
  [ "$status" -eq 1 ]
  rm -f "$DOKKU_LIB_ROOT/core-plugins/enabled/scheduler-k3s"
  dokku plugin:update scheduler-k3s
  run dokku plugin:disable scheduler-k3s
  [ "$status" -eq 1 ]
  run dokku plugin:uninstall scheduler-k3s
  [ "$status" -eq 1 ]
  plugn uninstall scheduler-k3s
  [ ! -e "$available/scheduler-k3s" ]
}

@test "back to the core plugin" {
  toy_repository dokku-scheduler-k3s
  plugn uninstall scheduler-k3s
  rm -f "$DOKKU_LIB_ROOT/core-plugins/enabled/scheduler-k3s"
  dokku plugin:install "file://$STANDIN/src/dokku-scheduler-k3s" --skip-install-trigger
  plugn uninstall scheduler-k3s
  ln -s "$DOKKU_LIB_ROOT/core-plugins/available/scheduler-k3s" "$available/scheduler-k3s"
  PLUGIN_PATH=$DOKKU_LIB_ROOT/core-plugins plugn enable scheduler-k3s
  plugn enable scheduler-k3s
  [[ $(dokku scheduler-k3s) == *shipped* ]]
  run dokku plugin:update scheduler-k3s
  [ "$status" -eq 1 ]
}

@test "two plugins for one scheduler both answer, outputs joined" {
  make_plugin scheduler-other
  printf '#!/bin/sh\nif [ "$1" = k3s ]; then printf "1 true"; fi\n' | entry scheduler-other scheduler-app-status
  printf '#!/bin/sh\nif [ "$1" = k3s ]; then printf "1 true"; fi\n' >"$STANDIN/status"
  rm "$DOKKU_LIB_ROOT/core-plugins/available/scheduler-k3s/scheduler-app-status"
  install -m 755 "$STANDIN/status" "$DOKKU_LIB_ROOT/core-plugins/available/scheduler-k3s/scheduler-app-status"
  dokku apps:create app
  dokku scheduler:set app selected k3s
  [ "$(dokku ps:report app --ps-running)" = true1 ]
}
