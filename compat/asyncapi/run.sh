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
# shellcheck source=compat/shared/tools.sh
. compat/shared/tools.sh

HERE=compat/asyncapi
NODE_MAJOR_MIN=20
PARSER_VERSION=$(sed -n 's/.*"@asyncapi\/parser": "\(.*\)".*/\1/p' $HERE/package.json)
CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/cordboard/asyncapi-$PARSER_VERSION

main() {
  mkdir -p "$CACHE"
  need_node $NODE_MAJOR_MIN
  need_packages
  export NODE_PATH=$CACHE/node_modules
  node $HERE/validate.js docs/asyncapi.json
  need_cordboard
  exec node $HERE/messages.js "$CORDBOARD_BIN"
}

need_packages() {
  local sum
  sum=$(sha256sum $HERE/package.json $HERE/package-lock.json)
  [ "$(cat "$CACHE/made" 2>/dev/null)" = "$sum" ] && return
  announce "installing @asyncapi/parser $PARSER_VERSION, Ajv and clients with npm ci into $CACHE"
  cp $HERE/package.json $HERE/package-lock.json "$CACHE"
  (cd "$CACHE" && npm ci --ignore-scripts --no-audit --no-fund) >"$CACHE/npm.log" 2>&1 \
    || skip_out_of_reach "npm cannot get the packages; see $CACHE/npm.log"
  printf '%s\n' "$sum" >"$CACHE/made"
}

main "$@"
