#!/usr/bin/env bash
# docs/asyncapi.json against the specification, by AsyncAPI's own parser; and every message of a running demonstration
# (streams, topics, hub) against the JSON Schemas that it publishes and against the document that it serves, by Ajv.
#
#   compat/asyncapi/run.sh     CORDBOARD_BIN: the binary to try, else the development build is made and tried
#
# What is missing is installed and said so first: Node with apt-get, packages into the cache outside the checkout.
# Exit codes: 0 all is as described, 1 something is not, 77 not possible here (the line starting with SKIPPED says why),
# 78 only the registry of packages is out of reach.
set -euo pipefail
cd "$(dirname "$0")/../.."

HERE=compat/asyncapi
NODE_MAJOR_MIN=20
PARSER_VERSION=$(sed -n 's/.*"@asyncapi\/parser": "\(.*\)".*/\1/p' $HERE/package.json)
PLACE=${XDG_CACHE_HOME:-$HOME/.cache}/cordboard/asyncapi-$PARSER_VERSION

main() {
  mkdir -p "$PLACE"
  need_node
  need_packages
  export NODE_PATH=$PLACE/node_modules
  node $HERE/validate.js docs/asyncapi.json
  if [ -z "${CORDBOARD_BIN:-}" ]; then
    cargo build --quiet --package cordboard-server --bin cordboard
    CORDBOARD_BIN=${CARGO_TARGET_DIR:-target}/debug/cordboard
  fi
  exec node $HERE/messages.js "$CORDBOARD_BIN"
}

need_node() {
  if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
    [ "$(id -u)" = 0 ] || skip "node is missing: apt-get install nodejs npm"
    announce "installing nodejs and npm with apt-get"
    { apt-get -q update && DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends nodejs npm; } >"$PLACE/apt.log" 2>&1 \
      || skip "node cannot be installed; see $PLACE/apt.log"
  fi
  [ "$(node -p 'parseInt(process.versions.node)')" -ge $NODE_MAJOR_MIN ] || skip "node $NODE_MAJOR_MIN or newer is needed, here is $(node --version)"
}

need_packages() {
  local sum
  sum=$(sha256sum $HERE/package.json $HERE/package-lock.json)
  [ "$(cat "$PLACE/made" 2>/dev/null)" = "$sum" ] && return
  announce "installing @asyncapi/parser $PARSER_VERSION, Ajv and clients with npm ci into $PLACE"
  cp $HERE/package.json $HERE/package-lock.json "$PLACE"
  (cd "$PLACE" && npm ci --ignore-scripts --no-audit --no-fund) >"$PLACE/npm.log" 2>&1 \
    || skip_out_of_reach "npm cannot get the packages; see $PLACE/npm.log"
  printf '%s\n' "$sum" >"$PLACE/made"
}

# Announcements pass the log of ./test by, where it runs this.
announce() { if { true >&3; } 2>/dev/null; then printf '      %s\n' "$*" >&3; else printf '%s\n' "$*"; fi; }

skip() { echo "SKIPPED: $*"; exit 77; }

skip_out_of_reach() { echo "SKIPPED: $*"; exit 78; }

main "$@"
