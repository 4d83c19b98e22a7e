#!/usr/bin/env bash
# Other people's SignalR clients against Cordboard's hub: @microsoft/signalr in Node and headless Chromium,
# com.microsoft.signalr for Java, pysignalr and signalrcore.
#
#   compat/rte/run.sh [--only TEXT]...     CORDBOARD_BIN: the binary to try, else the development build is made and tried
#
# What is missing is installed and said so first: packages into the cache outside the checkout, Chromium with apt-get.
# Exit codes: 0 all played, 1 some failed, 77 not possible here (the line starting with SKIPPED says why).
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=compat/shared/tools.sh
. compat/shared/tools.sh

HERE=compat/rte
CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/cordboard/rte
CHROMIUM=${CHROMIUM:-/usr/bin/chromium}
NODE_MAJOR_MIN=20
JAVA_MAJOR_MIN=17
MAVEN_COPY=org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies

main() {
  mkdir -p "$CACHE"
  need_commands
  need_chromium
  javascript
  java_client
  python_clients
  need_cordboard
  CHROMIUM=$CHROMIUM PYTHONPATH=compat/shared PYTHONDONTWRITEBYTECODE=1 exec "$CACHE/venv/bin/python" $HERE/driver/main.py "$CORDBOARD_BIN" "$CACHE" "$@"
}

need_commands() {
  need_node $NODE_MAJOR_MIN
  need javac "openjdk-$JAVA_MAJOR_MIN-jdk-headless" && need mvn "maven"
  need python3 "python3 python3-venv"
  [ "$(javac -version 2>&1 | sed 's/[^0-9]*\([0-9]*\).*/\1/')" -ge $JAVA_MAJOR_MIN ] || skip "Java $JAVA_MAJOR_MIN or newer is needed, here is $(javac -version 2>&1)"
}

need_chromium() {
  [ -x "$CHROMIUM" ] || apt_get chromium chromium
}

javascript() {
  is_current js $HERE/js/package.json $HERE/js/package-lock.json && return
  announce "installing the JavaScript clients with npm ci into $CACHE/js"
  mkdir -p "$CACHE/js"
  cp $HERE/js/package.json $HERE/js/package-lock.json "$CACHE/js"
  (cd "$CACHE/js" && npm ci --ignore-scripts --no-audit --no-fund) >"$CACHE/npm.log" 2>&1 || skip "npm cannot get them; see $CACHE/npm.log"
  remember js $HERE/js/package.json $HERE/js/package-lock.json
}

java_client() {
  is_current java $HERE/java/pom.xml $HERE/java/Puppet.java && return
  announce "getting the Java client from Maven Central into $CACHE/java"
  rm -rf "$CACHE/java"
  mkdir -p "$CACHE/java/classes"
  mvn -B -q -f $HERE/java/pom.xml $MAVEN_COPY -DoutputDirectory="$CACHE/java/lib" >"$CACHE/mvn.log" 2>&1 || skip "mvn cannot get it; see $CACHE/mvn.log"
  javac -cp "$CACHE/java/lib/*" -d "$CACHE/java/classes" $HERE/java/Puppet.java
  remember java $HERE/java/pom.xml $HERE/java/Puppet.java
}

python_clients() {
  is_current venv $HERE/requirements.txt && return
  announce "installing the Python clients with pip into $CACHE/venv"
  python3 -m venv --clear "$CACHE/venv" || skip "python3 cannot make a venv: apt-get install python3-venv"
  "$CACHE/venv/bin/pip" install --quiet --disable-pip-version-check --no-deps -r $HERE/requirements.txt >"$CACHE/pip.log" 2>&1 \
    || skip "pip cannot get them; see $CACHE/pip.log"
  remember venv $HERE/requirements.txt
}

main "$@"
