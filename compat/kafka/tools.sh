#!/usr/bin/env bash
# What the check `kafka` needs of others, for run.sh and whoever else starts a real Apache Kafka: to be sourced from the
# root of the checkout. Packages go into the cache outside the checkout.
# shellcheck source=compat/shared/tools.sh
. compat/shared/tools.sh

HERE=compat/kafka
CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/cordboard/kafka
NODE_MAJOR_MIN=18
JAVA_MAJOR_MIN=17
MAVEN_COPY=org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies

# Apache Kafka and its tools into $CACHE/apache/lib.
apache_kafka() {
  mkdir -p "$CACHE"
  need java "openjdk-$JAVA_MAJOR_MIN-jre-headless" && need mvn maven
  [ "$(java -version 2>&1 | sed -n '1s/[^0-9]*\([0-9]*\).*/\1/p')" -ge $JAVA_MAJOR_MIN ] || skip "Java $JAVA_MAJOR_MIN or newer is needed, here is $(java -version 2>&1 | head -n 1)"
  is_current apache $HERE/pom.xml && return
  announce "getting Apache Kafka from Maven Central into $CACHE/apache (54 MB)"
  rm -rf "$CACHE/apache"
  mvn -B -q -f $HERE/pom.xml $MAVEN_COPY -DoutputDirectory="$CACHE/apache/lib" >"$CACHE/mvn.log" 2>&1 \
    || skip "mvn cannot get Apache Kafka; see $CACHE/mvn.log"
  remember apache $HERE/pom.xml
}

# kafka-python into $CACHE/venv.
kafka_python() {
  mkdir -p "$CACHE"
  need python3 "python3 python3-venv"
  is_current venv $HERE/requirements.txt && return
  announce "installing kafka-python with pip into $CACHE/venv"
  python3 -m venv --clear "$CACHE/venv" || skip "python3 cannot make a venv: apt-get install python3-venv"
  "$CACHE/venv/bin/pip" install --quiet --disable-pip-version-check --no-deps -r $HERE/requirements.txt >"$CACHE/pip.log" 2>&1 \
    || skip "pip cannot get kafka-python; see $CACHE/pip.log"
  remember venv $HERE/requirements.txt
}

# kafkajs into $CACHE/js/node_modules.
kafkajs() {
  mkdir -p "$CACHE"
  need_node $NODE_MAJOR_MIN
  is_current js $HERE/js/package.json $HERE/js/package-lock.json && return
  announce "installing kafkajs with npm ci into $CACHE/js"
  mkdir -p "$CACHE/js"
  cp $HERE/js/package.json $HERE/js/package-lock.json "$CACHE/js"
  (cd "$CACHE/js" && npm ci --ignore-scripts --no-audit --no-fund) >"$CACHE/npm.log" 2>&1 || skip "npm cannot get kafkajs; see $CACHE/npm.log"
  remember js $HERE/js/package.json $HERE/js/package-lock.json
}
