# What most files of these tests need, for `load plugin_host`: one host with the plugin, made once per file, with the
# apps that the file lists in APPS, and a property store that is empty again after each test.
#
# Variables, besides those of helper.bash: STORE, the plugin's property store.

load helper

setup_file() {
  local app
  standin_setup --plugin >"$BATS_FILE_TMPDIR/log" 2>&1 || { cat "$BATS_FILE_TMPDIR/log" && return 1; }
  export STORE=$DOKKU_LIB_ROOT/config/scheduler-k3s
  for app in ${APPS:-}; do dokku apps:create "$app"; done
}

teardown_file() {
  standin_teardown
}

teardown() {
  rm -rf "${STORE:?}"/*
}
