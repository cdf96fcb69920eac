# From an image to scheduler-deploy and on, with real docker and a real registry.
# shellcheck disable=SC2016,SC2164,SC2012
bats_require_minimum_version 1.5.0
load helper

setup_file() {
  docker info >/dev/null 2>&1 || skip "no docker daemon; \`make node-start\` brings one"
  standin_setup
  record_everything
  export REPOSITORY=127.0.0.1:5000/rig/standin-$$
  image
}

# The toy scheduler notes what a deploy fires and which files it sees, and ends a deploy as it must.
record_everything() {
  make_plugin scheduler-toy
  record scheduler-toy builder-build builds-record-finalize builds-record-start core-post-deploy \
    core-post-extract deploy-source-set post-config-update post-deploy post-extract post-release-builder \
    pre-receive-app pre-release-builder scheduler-cron-write
  printf '#!/bin/sh\n[ "$1" != toy ] || echo false\n' | entry scheduler-toy scheduler-uses-host-cron
  printf '#!/bin/sh\n[ "$1" != toy ] || printf "1 false"\n' | entry scheduler-toy scheduler-app-status
  deploys
}

# scheduler-deploy: notes the call and runs the shell text $1 before the closing triggers.
deploys() {
  printf '#!/bin/sh\n{ printf scheduler-deploy; printf "|%%s" "$@"; echo; } >>%s/calls\ncd /\n%s\n%s\n' "$STANDIN" "${1:-}" \
    'plugn trigger core-post-deploy "$2" "" "" "$3" && plugn trigger post-deploy "$2" "" "" "$3"' |
    entry scheduler-toy scheduler-deploy
}

# Makes and pushes IMAGE, which exposes port 5000, of busybox and the files in $STANDIN/image-app as its workdir.
image() {
  export IMAGE=$REPOSITORY:${BATS_TEST_NUMBER:-plain}
  local tree=$STANDIN/image busybox
  busybox=$(command -v busybox)
  rm -rf "$tree"
  mkdir -p "$tree/bin" "$tree/app" "$tree/tmp"
  cp "$busybox" "$tree/bin/busybox"
  ln -s busybox "$tree/bin/sh"
  if [[ -d $STANDIN/image-app ]]; then cp -r "$STANDIN/image-app/." "$tree/app"; fi
  tar -C "$tree" -c . | docker import --change 'WORKDIR /app' --change 'ENV PATH=/bin' --change 'CMD ["/bin/sh"]' \
    --change "EXPOSE 5000" - "$IMAGE" >/dev/null
  docker push --quiet "$IMAGE" >/dev/null
}

teardown_file() {
  local images
  if [[ ! ${PREFIX:-} ]]; then return; fi
  images=$(docker image ls --quiet "$REPOSITORY")
  # shellcheck disable=SC2086
  docker image rm --force $images >/dev/null
  standin_teardown
}

setup() {
  docker info >/dev/null 2>&1 || skip "no docker daemon"
  cd "$STANDIN"
  rm -rf image-app
  mkdir image-app
  export APP=standin-$$
  dokku apps:create "$APP" >/dev/null
  dokku scheduler:set "$APP" selected toy >/dev/null
  dokku proxy:set "$APP" k3s >/dev/null
  dokku registry:set "$APP" server 127.0.0.1:5000 >/dev/null
  deploys
  : >calls
}

teardown() {
  if [[ ${APP:-} && -d $DOKKU_ROOT/$APP ]]; then dokku apps:destroy --force "$APP" >/dev/null; fi
}

label() {
  docker image inspect --format "{{index .Config.Labels \"$2\"}}" "$1"
}

@test "git:from-image fires what a build fires, in order" {
  run dokku git:from-image "$APP" "$IMAGE"
  [ "$status" -eq 0 ]
  local rev tree
  rev=$(dokku config:get "$APP" GIT_REV)
  [ "$(git -C "$DOKKU_ROOT/$APP" -c safe.directory='*' rev-parse master)" = "$rev" ]
  tree=$(calls '^core-post-extract' | cut -d'|' -f3)
  [ ! -e "$tree" ]
  diff <(sed -E 's/\|[0-9a-f]{16}(\||$)/|ID\1/; s/\|[0-9]+\|git:/|PID|git:/' calls) - <<END
builds-record-start|$APP|ID|PID|git:from-image
post-config-update|$APP|set|GIT_REV
core-post-extract|$APP|$tree|$rev
post-extract|$APP|$tree|$rev
pre-receive-app|$APP|dockerfile|$tree|$rev
builder-build|dockerfile|$APP|$tree
pre-release-builder|dockerfile|$APP|dokku/$APP:latest
post-release-builder|dockerfile|$APP|dokku/$APP:latest
scheduler-deploy|toy|$APP|latest|
core-post-deploy|$APP|||latest
scheduler-cron-write|toy|$APP
post-deploy|$APP|||latest
builds-record-finalize|$APP|ID|0
deploy-source-set|$APP|docker-image|$IMAGE
END
  [[ $output == *"-----> Deploying $APP via the toy scheduler..."*'=====> Application deployed:'* ]]
}

@test "what git:from-image leaves: image, labels, facts for the scheduler" {
  dokku domains:add "$APP" a.example.com
  run dokku git:from-image "$APP" "$IMAGE"
  [[ $output == *$'=====> Application deployed:\n       http://a.example.com:5000'* ]]
  [ "$(label "dokku/$APP:latest" com.dokku.image-stage)" = release ]
  [ "$(label "dokku/$APP:latest" com.dokku.builder-type)" = dockerfile ]
  [ "$(label "dokku/$APP:latest" com.dokku.app-name)" = "$APP" ]
  [ "$(docker image inspect --format '{{.Config.WorkingDir}} {{.Config.Cmd}}' "dokku/$APP:latest")" = '/app [/bin/sh]' ]
  [ "$(trigger git-get-property "$APP" source-image)" = "$IMAGE" ]
  [ "$(trigger git-revision "$APP")" = "$(dokku config:get "$APP" GIT_REV)" ]
  trigger git-has-code "$APP"
  [ "$(trigger builder-get-property "$APP" detected)" = dockerfile ]
  [ "$(trigger ports-get "$APP")" = http:5000:5000 ]
  [ "$(trigger ps-current-scale "$APP")" = web=1 ]
  [ "$(cat "$DOKKU_LIB_ROOT/config/common/$APP/deployed")" = true ]
  [ "$(dokku apps:report "$APP" --app-deploy-source)" = docker-image ]
}

@test "Procfile and app.json come from the image's workdir, seen by the deploy before they are promoted" {
  printf 'web: serve\nworker: work\nrelease: true\n' >image-app/Procfile
  echo '{"cron": [{"command": "c", "schedule": "@daily"}]}' >image-app/app.json
  image
  deploys 'plugn trigger procfile-get-command "$2" worker 1; ls "$DOKKU_LIB_ROOT/data/ps/$2"'
  run dokku git:from-image "$APP" "$IMAGE"
  [ "$status" -eq 0 ]
  [[ $output == *$'\nwork\nProcfile.'[0-9]* ]]
  [ "$(ls "$DOKKU_LIB_ROOT/data/ps/$APP" "$DOKKU_LIB_ROOT/data/app-json/$APP" | sort -u | tr '\n' ' ' | sed 's/[^ ]*: //g')" = ' Procfile app.json ' ]
  [ "$(trigger ps-current-scale "$APP")" = $'release=0\nweb=1\nworker=0' ]
  [ "$(dokku cron:list "$APP" --format json | jq -r '.[0].command')" = c ]
  # A deploy without them removes them, and brings the removed types to 0 while it is under way.
  rm image-app/*
  image
  deploys 'plugn trigger ps-current-scale "$2"; ls "$DOKKU_LIB_ROOT/data/ps/$2"'
  run dokku git:from-image "$APP" "$IMAGE"
  [[ $output == *$'release=0\nweb=1\nworker=0'*Procfile.*.missing* ]]
  [ "$(trigger ps-current-scale "$APP")" = web=1 ]
  [ ! -e "$DOKKU_LIB_ROOT/data/ps/$APP/Procfile" ]
}

@test "a failed deploy promotes nothing, and the next one clears up" {
  printf 'web: old\n' >image-app/Procfile
  image
  dokku git:from-image "$APP" "$IMAGE"
  printf 'web: new\n' >image-app/Procfile
  image
  deploys 'exit 7'
  run dokku git:from-image "$APP" "$IMAGE"
  [ "$status" -eq 7 ]
  [ "$(trigger procfile-get-command "$APP" web 1)" = old ]
  [ "$(ls "$DOKKU_LIB_ROOT/data/ps/$APP" | wc -l)" -eq 2 ]
  deploys
  dokku git:from-image "$APP" "$IMAGE"
  [ "$(trigger procfile-get-command "$APP" web 1)" = new ]
  [ "$(ls "$DOKKU_LIB_ROOT/data/ps/$APP")" = Procfile ]
}

@test "push on release: a new number each time, two kept, the number for restarts" {
  dokku registry:set "$APP" push-on-release true
  dokku registry:set "$APP" push-extra-tags extra
  dokku git:from-image "$APP" "$IMAGE"
  dokku ps:rebuild "$APP"
  dokku ps:restart "$APP"
  dokku config:set "$APP" X=1
  [ "$(calls '^scheduler-deploy' | cut -d'|' -f4 | tr '\n' ' ')" = 'latest latest 2 latest ' ]
  [ "$(trigger deployed-app-image-tag "$APP")" = 3 ]
  [ "$(curl -fsS "http://127.0.0.1:5000/v2/dokku/$APP/tags/list" | jq -c '.tags | sort')" = '["1","2","3","extra"]' ]
  [ "$(docker image ls --format '{{.Tag}}' "127.0.0.1:5000/dokku/$APP" | sort | tr '\n' ' ')" = '2 3 extra ' ]
}

@test "ps:start releases again from the pushed image, and still hands the old number on" {
  dokku registry:set "$APP" push-on-release true
  dokku git:from-image "$APP" "$IMAGE"
  docker image ls --format '{{.Repository}}:{{.Tag}}' | grep "/$APP:" | xargs docker image rm --force >/dev/null
  : >calls
  dokku ps:start "$APP"
  [ "$(calls '^(post-release-builder|scheduler-deploy)')" = "$(printf 'post-release-builder|dockerfile|%s|dokku/%s:latest\nscheduler-deploy|toy|%s|1|' "$APP" "$APP" "$APP")" ]
  [ "$(trigger deployed-app-image-tag "$APP")" = 2 ]
}

@test "app.json: environment, predeploy kept in the image, release task, formation, postdeploy" {
  printf 'web: serve\nrelease: echo releasing $PWD\n' >image-app/Procfile
  cat >image-app/app.json <<'END'
{"env": {"GIVEN": "v", "SECRET": {"generator": "secret"}},
 "formation": {"web": {"quantity": 3}},
 "scripts": {"dokku": {"predeploy": "echo $GIVEN >/app/made", "postdeploy": "echo after"}, "postdeploy": "echo first"}}
END
  image
  run dokku git:from-image "$APP" "$IMAGE"
  [ "$status" -eq 0 ]
  [[ $output == *'releasing /app'*first*'Deploying'*after* ]]
  [ "$(dokku config:get "$APP" GIVEN)" = v ]
  [[ $(dokku config:get "$APP" SECRET) =~ ^[0-9a-f]{64}$ ]]
  [ "$(docker run --rm "dokku/$APP:latest" /bin/busybox cat /app/made)" = v ]
  [ "$(docker image inspect --format '{{.Config.Cmd}} {{len .Config.Entrypoint}}' "dokku/$APP:latest")" = '[/bin/sh] 0' ]
  [ "$(trigger ps-current-scale "$APP")" = $'release=0\nweb=3' ]
  run dokku ps:scale "$APP" web=1
  [ "$status" -eq 1 ]
  run dokku ps:rebuild "$APP"
  [[ $output != *first* ]]
}

@test "a release task that fails ends the deploy before the scheduler" {
  printf 'web: serve\nrelease: exit 3\n' >image-app/Procfile
  image
  run dokku git:from-image "$APP" "$IMAGE"
  [ "$status" -ne 0 ]
  [ -z "$(calls '^scheduler-deploy')" ]
}

@test "the deploy lock is held, on descriptor 200, while the scheduler deploys" {
  deploys 'readlink /proc/$$/fd/200; flock -n "$DOKKU_LIB_ROOT/data/apps/$2/.deploy.lock" true || echo held'
  run dokku git:from-image "$APP" "$IMAGE"
  [[ $output == *"data/apps/$APP/.deploy.lock"*held* ]]
  run dokku ps:restart "$APP"
  [[ $output != *held* ]]
  run dokku config:set "$APP" X=1
  [[ $output != *held* ]]
  flock "$DOKKU_LIB_ROOT/data/apps/$APP/.deploy.lock" true
}

@test "builds are captured: pipes, ids, a log" {
  deploys 'readlink /proc/self/fd/1; echo "$DOKKU_BUILD_SOURCE $DOKKU_REDIRECT_OUTPUT"; echo "$DOKKU_BUILD_ID" >>"$DOKKU_LIB_ROOT/ids"'
  install -m 666 /dev/null "$DOKKU_LIB_ROOT/ids"
  run on_terminal "$PREFIX/bin/dokku" git:from-image "$APP" "$IMAGE"
  [[ $output == *pipe:*'git:from-image true'* ]]
  id=$(cat "$DOKKU_LIB_ROOT/ids")
  grep -q 'via the toy scheduler' "$DOKKU_LIB_ROOT/data/builds/$APP/$id.log"
  [ "$(jq -r .status "$DOKKU_LIB_ROOT/data/builds/$APP/$id.json")" = succeeded ]
  [[ $(dokku ps:restart "$APP") == *'ps:restart true'* ]]
  [[ $(dokku ps:rebuild "$APP") == *'ps:rebuild true'* ]]
}

@test "the working directory of a deploy is the source tree" {
  printf '#!/bin/sh\npwd >>%s/calls; cat Dockerfile >>%s/calls\n' "$STANDIN" "$STANDIN" | entry scheduler-toy core-post-extract
  dokku git:from-image "$APP" "$IMAGE"
  [[ $(calls) == *"FROM $IMAGE"* ]]
  record scheduler-toy core-post-extract
}

@test "skip-deploy" {
  dokku ps:set "$APP" skip-deploy true
  run dokku git:from-image "$APP" "$IMAGE"
  [ "$status" -eq 0 ]
  [[ $output == *'-----> Skipping deployment'* ]]
  [ -z "$(calls '^scheduler-deploy')" ]
}

@test "apps:clone deploys the clone" {
  dokku git:from-image "$APP" "$IMAGE"
  : >calls
  dokku apps:clone "$APP" "$APP-2"
  [ "$(calls '^scheduler-deploy')" = "scheduler-deploy|toy|$APP-2|latest|" ]
  dokku apps:clone --skip-deploy "$APP" "$APP-3"
  [ "$(calls '^scheduler-deploy' | wc -l)" -eq 1 ]
  dokku apps:destroy --force "$APP-2"
  dokku apps:destroy --force "$APP-3"
  run docker image inspect "dokku/$APP-2:latest"
  [ "$status" -ne 0 ]
}

@test "apps:destroy removes the app's images" {
  dokku registry:set "$APP" push-on-release true
  dokku git:from-image "$APP" "$IMAGE"
  dokku ps:rebuild "$APP"
  dokku apps:destroy --force "$APP"
  [ -z "$(docker image ls --all --quiet --filter label=com.dokku.app-name="$APP")" ]
}

@test "with proxy type nginx each deploy writes a vhost" {
  dokku domains:add "$APP" a.example.com
  dokku proxy:set "$APP" type nginx
  dokku git:from-image "$APP" "$IMAGE"
  grep -q a.example.com "$DOKKU_ROOT/$APP/nginx.conf"
}
