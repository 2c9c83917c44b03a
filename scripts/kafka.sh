#!/usr/bin/env bash
# A Kafka broker on this machine: one node, KRaft. Uses Docker if its engine runs, else Java 17 and Maven.
#
#   scripts/kafka.sh start | stop | status
#
# KAFKA_BROKERS    its address, default 127.0.0.1:9092
# CAMEO_KAFKA_DIR  folder of its data, default .kafka in this folder
# CAMEO_KAFKA      "docker" or "java", to choose
# CAMEO_KAFKA_WITH a process id: the broker stops when that process is gone (Java only)
# CAMEO_KAFKA_SETTINGS a properties file with more settings, which override this script's own (Java only); the listener
#                  for clients is called BROKER
# CAMEO_KAFKA_SCRAM a user of a new broker, for example SCRAM-SHA-512=[name=ada,password=...] (Java only)
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"

address="${KAFKA_BROKERS:-127.0.0.1:9092}"
host="${address%:*}"
port="${address##*:}"
dir="${CAMEO_KAFKA_DIR:-$here/../.kafka}"
jars="${XDG_CACHE_HOME:-$HOME/.cache}/cameo/kafka-broker-$(cksum <"$here/kafka-broker.pom.xml" | cut -d' ' -f1)"
start_within_s=90
# One year. Topics keep all messages, so workers that were off for longer process everything again.
offsets_retention_minutes=525600

say() { printf 'kafka: %s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }

case "$address" in *,*|*[[:space:]]*) fail "KAFKA_BROKERS names several brokers: this script starts one" ;; esac
case "$host" in 127.*|localhost) ;; *) fail "KAFKA_BROKERS is $address: this script starts a broker on loopback only, e.g. 127.0.0.1:9092" ;; esac

engine() {
  if [ -n "${CAMEO_KAFKA:-}" ]; then echo "$CAMEO_KAFKA"
  elif command -v docker >/dev/null && docker info >/dev/null 2>&1; then echo docker
  else echo java
  fi
}

compose() {
  CAMEO_KAFKA_PORT="$port" docker compose --project-name "cameo-$port" --file "$here/../docker-compose.yml" "$@"
}

answers() { (exec 3<>"/dev/tcp/$host/$port") 2>/dev/null; }

pid_of() { cat "$dir/broker.pid" 2>/dev/null || true; }

runs() { [ -n "$(pid_of)" ] && kill -0 "$(pid_of)" 2>/dev/null; }

fetch_jars() {
  [ -f "$jars/complete" ] && return
  command -v java >/dev/null || fail "no Docker engine and no Java: install Docker, or Java 17 and Maven (apt-get install openjdk-17-jre-headless maven)"
  command -v mvn >/dev/null || fail "Maven is missing: apt-get install maven"
  say "fetching the broker from Maven Central (43 MB, once)"
  # Fetches into a separate folder first, because two processes may fetch at the same time.
  local fetched="$jars.$$"
  mkdir -p "$fetched"
  mvn --quiet --batch-mode --file "$here/kafka-broker.pom.xml" dependency:copy-dependencies -DoutputDirectory="$fetched" >&2 ||
    fail "Maven could not fetch the broker: see the message above"
  mkdir -p "$jars"
  mv "$fetched"/* "$jars/"
  rmdir "$fetched"
  touch "$jars/complete"
}

run_class() { java -Xmx"${1}" -cp "$jars/*" -Dorg.slf4j.simpleLogger.showDateTime=true "${@:2}"; }

# 16 random bytes. The first one is below 128, so that the id never starts with a dash, which would look like an option.
new_cluster_id() { node -p 'const id = crypto.randomBytes(16); id[0] &= 0x7f; id.toString("base64url")'; }

write_settings() {
  mkdir -p "$dir"
  cat >"$dir/server.properties" <<SETTINGS
process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers=127.0.0.1:$controller_port
controller.listener.names=CONTROLLER
listeners=BROKER://$host:$port,CONTROLLER://127.0.0.1:$controller_port
advertised.listeners=BROKER://$host:$port
inter.broker.listener.name=BROKER
listener.security.protocol.map=BROKER:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs=$dir/data
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
offsets.retention.minutes=$offsets_retention_minutes
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
auto.create.topics.enable=false
SETTINGS
  # If a key appears twice, Java uses the last value.
  if [ -n "${CAMEO_KAFKA_SETTINGS:-}" ]; then cat "$CAMEO_KAFKA_SETTINGS" >>"$dir/server.properties"; fi
}

start_java() {
  if runs; then
    answers && { say "already answering at $address"; return; }
    fail "process $(pid_of) runs but does not answer at $address: \"scripts/kafka.sh stop\" first"
  fi
  answers && fail "something else answers at $address: stop it, or set KAFKA_BROKERS to another port"
  fetch_jars
  # Only this broker uses the controller's port: any free port, stored with the data.
  mkdir -p "$dir"
  dir="$(cd "$dir" && pwd)"
  [ -f "$dir/controller-port" ] || node -e '
    const server = require("node:net").createServer().listen(0, "127.0.0.1", () => {
      console.log(server.address().port); server.close() })' >"$dir/controller-port"
  controller_port="$(cat "$dir/controller-port")"
  write_settings
  if [ ! -f "$dir/data/meta.properties" ]; then
    run_class 128m kafka.tools.StorageTool format --standalone --cluster-id "$(new_cluster_id)" \
      --config "$dir/server.properties" ${CAMEO_KAFKA_SCRAM:+--add-scram "$CAMEO_KAFKA_SCRAM"} >"$dir/format.log" 2>&1 || { cat "$dir/format.log" >&2; fail "the data folder $dir/data could not be formatted"; }
  fi
  # A small node that leaves the processor to the workers: no optimising compiler, no collector threads.
  # exec: the broker keeps this process id. setsid: Ctrl-C in this terminal does not reach it.
  setsid bash -c 'echo $$ >"$1/broker.pid"; exec java -Xmx512m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp "$2/*" -Dorg.slf4j.simpleLogger.showDateTime=true kafka.Kafka "$1/server.properties" >"$1/broker.log" 2>&1' \
    kafka "$dir" "$jars" </dev/null >/dev/null 2>&1 &
  for _ in $(seq $((start_within_s * 5))); do
    if answers && grep -q 'Kafka Server started' "$dir/broker.log"; then
      stop_with_owner
      say "answering at $address"
      return
    fi
    sleep 0.2
    if [ -s "$dir/broker.pid" ] && ! runs; then tail -n 20 "$dir/broker.log" >&2; fail "the broker ended while it started"; fi
  done
  tail -n 20 "$dir/broker.log" >&2
  fail "the broker does not answer at $address after $start_within_s s"
}

stop_with_owner() {
  [ -n "${CAMEO_KAFKA_WITH:-}" ] || return 0
  setsid bash -c 'while kill -0 "$1" 2>/dev/null && kill -0 "$2" 2>/dev/null; do sleep 1; done; kill "$2" 2>/dev/null' \
    kafka-watch "$CAMEO_KAFKA_WITH" "$(pid_of)" </dev/null >/dev/null 2>&1 &
}

stop_java() {
  if ! runs; then rm -f "$dir/broker.pid"; say "not running"; return; fi
  local pid
  pid="$(pid_of)"
  kill "$pid"
  for _ in $(seq 150); do
    kill -0 "$pid" 2>/dev/null || { rm -f "$dir/broker.pid"; say "stopped"; return; }
    sleep 0.2
  done
  kill -9 "$pid"
  rm -f "$dir/broker.pid"
  say "killed after 30 s"
}

case "${1:-}" in
  start)
    if [ "$(engine)" = docker ]; then
      [ -z "${CAMEO_KAFKA_SETTINGS:-}" ] || fail "CAMEO_KAFKA_SETTINGS is for Java only: set CAMEO_KAFKA=java"
      compose up --detach --wait kafka
    else start_java; fi ;;
  stop)
    if [ "$(engine)" = docker ]; then compose stop kafka; else stop_java; fi ;;
  status)
    if answers; then say "answering at $address"; else say "not answering at $address"; exit 1; fi ;;
  *)
    sed -n '2,12s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
