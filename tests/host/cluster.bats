#!/usr/bin/env bats
# cluster:add, cluster:list and cluster:remove, in both spellings, as dokku calls them on a host without a cluster.

bats_require_minimum_version 1.5.0

setup_file() {
  source "$BATS_TEST_DIRNAME/helper.bash"
  standin_setup --plugin >"$BATS_FILE_TMPDIR/log" 2>&1 || { cat "$BATS_FILE_TMPDIR/log" && return 1; }
  dokku scheduler-k3s:set --global kubeconfig-path "$STANDIN/none" >/dev/null
}

teardown_file() {
  source "$BATS_TEST_DIRNAME/helper.bash"
  standin_teardown
}

setup() {
  source "$BATS_TEST_DIRNAME/helper.bash"
}

@test "help, in both spellings" {
  for command in add list remove; do
    for name in "cluster:$command" "cluster-$command"; do
      for prefix in scheduler-k3s k3s; do
        run --separate-stderr dokku "$prefix:$name" --help
        [ "$status" -eq 0 ]
        [ -z "$output" ]
        [[ $stderr == "Usage: dokku scheduler-k3s:cluster:$command"* ]]
      done
    done
  done
}

@test "words that a command does not know" {
  run --separate-stderr dokku scheduler-k3s:cluster:add --rol server ssh://root@10.0.0.6
  [ "$status" -eq 2 ]
  [[ $stderr == *" !     unknown flag: --rol, did you mean --role?" ]]
  run --separate-stderr dokku scheduler-k3s:cluster-add ssh://root@10.0.0.6 ssh://root@10.0.0.7
  [ "$status" -eq 2 ]
  [[ $stderr == *" !     Unexpected argument: ssh://root@10.0.0.7" ]]
  run --separate-stderr dokku scheduler-k3s:cluster:remove a b
  [ "$status" -eq 2 ]
  run --separate-stderr dokku scheduler-k3s:cluster:list --format yaml
  [ "$status" -eq 1 ]
  [[ $stderr == *"!     Invalid format: yaml" ]]
}

@test "a host without k3s neither joins nor removes nodes" {
  for name in cluster:add cluster-add; do
    run --separate-stderr dokku "scheduler-k3s:$name" ssh://root@10.0.0.6
    [ "$status" -eq 1 ]
    [ -z "$output" ]
    [[ $stderr == *"!     k3s not installed, cannot add node to cluster: "* ]]
  done
  for name in cluster:remove cluster-remove; do
    run --separate-stderr dokku "scheduler-k3s:$name" node --force </dev/null
    [ "$status" -eq 1 ]
    [ -z "$output" ]
    [[ $stderr == *"!     k3s not installed, cannot remove node from cluster: "* ]]
  done
}

@test "a cluster that cannot be reached is not listed" {
  run --separate-stderr dokku scheduler-k3s:cluster:list
  [ "$status" -eq 1 ]
  [[ $stderr == *"!     Unable to create kubernetes client: kubeconfig $STANDIN/none cannot be used: it does not exist" ]]
}
