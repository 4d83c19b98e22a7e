#!/usr/bin/env bash
# What the check `kafka` needs of others, for run.sh and whoever else starts a real Apache Kafka: to be sourced from the
# root of the checkout. Calls `skip` of its caller where something cannot be had. What is missing is installed and said
# so first: packages into the cache outside the checkout, programs with apt-get.

KAFKA_HERE=compat/kafka
KAFKA_CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/cordboard/kafka
NODE_MAJOR_MIN=18
JAVA_MAJOR_MIN=17
MAVEN_COPY=org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies

# Apache Kafka and its tools into $KAFKA_CACHE/apache/lib.
apache_kafka() {
  mkdir -p "$KAFKA_CACHE"
  need java "openjdk-$JAVA_MAJOR_MIN-jre-headless" && need mvn maven
  [ "$(java -version 2>&1 | sed -n '1s/[^0-9]*\([0-9]*\).*/\1/p')" -ge $JAVA_MAJOR_MIN ] || skip "Java $JAVA_MAJOR_MIN or newer is needed, here is $(java -version 2>&1 | head -n 1)"
  is_current apache $KAFKA_HERE/pom.xml && return
  announce "getting Apache Kafka from Maven Central into $KAFKA_CACHE/apache (54 MB)"
  rm -rf "$KAFKA_CACHE/apache"
  mvn -B -q -f $KAFKA_HERE/pom.xml $MAVEN_COPY -DoutputDirectory="$KAFKA_CACHE/apache/lib" >"$KAFKA_CACHE/mvn.log" 2>&1 \
    || skip "mvn cannot get Apache Kafka; see $KAFKA_CACHE/mvn.log"
  remember apache $KAFKA_HERE/pom.xml
}

# kafka-python into $KAFKA_CACHE/venv.
kafka_python() {
  mkdir -p "$KAFKA_CACHE"
  need python3 "python3 python3-venv"
  is_current venv $KAFKA_HERE/requirements.txt && return
  announce "installing kafka-python with pip into $KAFKA_CACHE/venv"
  python3 -m venv --clear "$KAFKA_CACHE/venv" || skip "python3 cannot make a venv: apt-get install python3-venv"
  "$KAFKA_CACHE/venv/bin/pip" install --quiet --disable-pip-version-check --no-deps -r $KAFKA_HERE/requirements.txt >"$KAFKA_CACHE/pip.log" 2>&1 \
    || skip "pip cannot get kafka-python; see $KAFKA_CACHE/pip.log"
  remember venv $KAFKA_HERE/requirements.txt
}

# kafkajs into $KAFKA_CACHE/js/node_modules.
kafkajs() {
  mkdir -p "$KAFKA_CACHE"
  need node "nodejs npm" && need npm npm
  [ "$(node -p 'parseInt(process.versions.node)')" -ge $NODE_MAJOR_MIN ] || skip "node $NODE_MAJOR_MIN or newer is needed, here is $(node --version)"
  is_current js $KAFKA_HERE/js/package.json $KAFKA_HERE/js/package-lock.json && return
  announce "installing kafkajs with npm ci into $KAFKA_CACHE/js"
  mkdir -p "$KAFKA_CACHE/js"
  cp $KAFKA_HERE/js/package.json $KAFKA_HERE/js/package-lock.json "$KAFKA_CACHE/js"
  (cd "$KAFKA_CACHE/js" && npm ci --ignore-scripts --no-audit --no-fund) >"$KAFKA_CACHE/npm.log" 2>&1 || skip "npm cannot get kafkajs; see $KAFKA_CACHE/npm.log"
  remember js $KAFKA_HERE/js/package.json $KAFKA_HERE/js/package-lock.json
}

need() { # COMMAND PACKAGES
  command -v "$1" >/dev/null && return
  [ "$(id -u)" = 0 ] || skip "$1 is missing: apt-get install $2"
  announce "installing $2 with apt-get"
  # shellcheck disable=SC2086 # several packages
  { apt-get -q update && DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends $2; } >"$KAFKA_CACHE/apt.log" 2>&1 \
    || skip "$1 cannot be installed; see $KAFKA_CACHE/apt.log"
}

# Whether what was made of these files is there and they are still the same.
is_current() { # WHAT FILES...
  local what=$1
  shift
  [ -d "$KAFKA_CACHE/$what" ] && [ "$(cat "$KAFKA_CACHE/$what.made" 2>/dev/null)" = "$(sha256sum "$@")" ]
}

remember() { # WHAT FILES...
  local what=$1
  shift
  sha256sum "$@" >"$KAFKA_CACHE/$what.made"
}

# Announcements pass the log of ./test by, where it runs this.
announce() { if { true >&3; } 2>/dev/null; then printf '      %s\n' "$*" >&3; else printf '%s\n' "$*"; fi; }

skip() { echo "SKIPPED: $*"; exit 77; }
