#!/bin/bash
# Takes the steps of the Dockerfile in a plain folder, to try them without Docker: copies what it copies, builds as it
# builds, and starts the server as another user in a folder that this user cannot write to, but for the volume.
# As root: docker/without-docker.sh FOLDER
set -euo pipefail
cd "$(dirname "$0")/.."
folder=${1:?folder}
user=nobody
build=$folder/build root=$folder/root data=$folder/data
mkdir -p "$build" "$root" "$data" "$folder/tmp"

# The first stage.
sed '/^FROM eclipse-temurin/,$d' docker/Dockerfile | sed -n 's/^COPY //p' | while read -r from to; do
  cp -a "$from" "$build/$to"
done
command=$(sed -n 's/^RUN --mount=[^ ]* \(mvn .*\)/\1/p' docker/Dockerfile)
echo "building: $command"
(cd "$build" && $command)

# The second one.
install -m 755 "$build/target/shardbus" "$root/shardbus"
export SHARDBUS_CACHE=$root/cache
"$root/shardbus" warm-up
install -m 755 docker/live.sh "$root/live.sh"
chown "$user" "$data"
chmod 1777 "$folder/tmp"
export SHARDBUS_HOST=127.0.0.1 SHARDBUS_PORT=${SHARDBUS_PORT:-18080} SHARDBUS_DATA=$data
cd "$root"
setpriv --reuid="$user" --clear-groups \
  env SHARDBUS_JAVA_OPTIONS="-Djava.io.tmpdir=$folder/tmp" ./shardbus serve &
server=$!
trap 'kill $server 2>/dev/null || true' EXIT
for _ in $(seq 60); do
  sleep 1
  ./live.sh 2>/dev/null && break
done
./live.sh && echo "live, as $(ps -o user= -p $server)"
./shardbus feed --url "http://127.0.0.1:$SHARDBUS_PORT" --generate 1000 --ack delivered
kill $server
wait $server
trap - EXIT
./live.sh 2>/dev/null && exit 1
find "$data" -user "$user" -name '*.db' | grep -q . && echo "stopped, events are in the volume"
