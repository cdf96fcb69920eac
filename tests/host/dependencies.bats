#!/usr/bin/env bats
# dokku plugin:install-dependencies, with the real Python packages from the package index.

bats_require_minimum_version 1.5.0

setup_file() {
  source "$BATS_TEST_DIRNAME/helper.bash"
  source "$BATS_TEST_DIRNAME/tools.bash"
  standin_setup --plugin >"$BATS_FILE_TMPDIR/log" 2>&1 || { cat "$BATS_FILE_TMPDIR/log" && return 1; }
  serve_tools "$STANDIN/served"
}

teardown_file() {
  source "$BATS_TEST_DIRNAME/helper.bash"
  source "$BATS_TEST_DIRNAME/tools.bash"
  stop_serving "$STANDIN/served"
  standin_teardown
}

setup() {
  source "$BATS_TEST_DIRNAME/helper.bash"
  source "$BATS_TEST_DIRNAME/tools.bash"
  use_tools "$STANDIN/served"
}

@test "the first run brings everything, for root to write and for dokku to use" {
  run --separate-stderr dokku plugin:install-dependencies
  [ "$status" -eq 0 ]
  [ -z "$stderr" ]
  [[ $output == *"-----> Installing helm 4.1.4 from http://127.0.0.1:"*"-----> Installing kubectl 1.34.4 from"*"-----> Installing Python packages"* ]]
  [ "$(as_dokku "$STANDIN/tools/bin/helm")" = "the helm of the test" ]
  [ "$(as_dokku "$STANDIN/tools/bin/kubectl")" = "the kubectl of the test" ]
  [ -z "$(find "$STANDIN/tools" ! -user root)" ]
  [ -z "$(find "$STANDIN/tools" -perm /022 ! -type l)" ]
}

@test "the packages work for the plugin's interpreter, with yaml's C loader, and only when asked for" {
  program="import sys; sys.path.insert(0, '$DOKKU_LIB_ROOT/plugins/enabled/scheduler-k3s/lib')
from scheduler_k3s.tools import private
private.load_packages()
import jsonschema, yaml
jsonschema.validate(yaml.load('a: 1', yaml.CSafeLoader), {'type': 'object', 'required': ['a']})
print(yaml.__file__.startswith('$STANDIN/tools/python/'))"
  run as_dokku env "DOKKU_SCHEDULER_K3S_TOOLS=$STANDIN/tools" /usr/bin/python3 -IS -c "$program"
  [ "$status" -eq 0 ]
  [ "$output" = True ]
}

@test "the second run fetches nothing" {
  asked=$(grep -c GET "$STANDIN/served.log")
  run dokku plugin:install-dependencies
  [ "$status" -eq 0 ]
  [[ $output == *"helm 4.1.4 is already installed"*"kubectl 1.34.4 is already installed"*"Python packages are already installed"* ]]
  [ "$(grep -c GET "$STANDIN/served.log")" -eq "$asked" ]
  run dokku plugin:install
  [[ $output != *"plugin:install-dependencies"* ]]
}

@test "the address may stand in dokku's global configuration" {
  rm "$STANDIN/tools/bin/kubectl"
  dokku config:set --global --no-restart "DOKKU_SCHEDULER_K3S_KUBECTL_URL=$DOKKU_SCHEDULER_K3S_KUBECTL_URL"
  unset DOKKU_SCHEDULER_K3S_KUBECTL_URL
  run dokku plugin:install-dependencies
  [ "$status" -eq 0 ]
  [ -x "$STANDIN/tools/bin/kubectl" ]
}

@test "a server that is away leaves what is there" {
  rm "$STANDIN/tools/bin/.helm.sha256"
  DOKKU_SCHEDULER_K3S_HELM_URL=http://127.0.0.1:1 run dokku plugin:install-dependencies
  [ "$status" -ne 0 ]
  [[ $output == *" !     Unable to download http://127.0.0.1:1/helm-v4.1.4-linux-"* ]]
  [ "$("$STANDIN/tools/bin/helm")" = "the helm of the test" ]
}

@test "plugin:update brings new pins by itself" {
  repository=$STANDIN/plugin/dokku-scheduler-k3s
  echo '# newer' >>"$repository/requirements.txt"
  git -C "$repository" -c user.name=test -c user.email=test@localhost commit --quiet --all --message newer
  run dokku plugin:update scheduler-k3s
  [ "$status" -eq 0 ]
  [[ $output == *"-----> Installing Python packages"* ]]
  run dokku plugin:install-dependencies
  [[ $output == *"Python packages are already installed"* ]]
}
