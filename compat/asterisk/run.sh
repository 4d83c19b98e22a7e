#!/usr/bin/env bash
# Cordboard against a real Asterisk 22 with SIPp telephones.
#
#   compat/asterisk/run.sh [PLAY...]     CORDBOARD_BIN: the binary to try, else the development build is made and tried
#
# Exit codes: 0 all plays passed, 1 some failed, 77 not possible here (the line starting with SKIPPED says why).
set -euo pipefail
cd "$(dirname "$0")/../.."

scripts/asterisk-chroot make
if [ -z "${CORDBOARD_BIN:-}" ]; then
  cargo build --quiet --package cordboard-server --bin cordboard
  CORDBOARD_BIN=${CARGO_TARGET_DIR:-target}/debug/cordboard
fi
PYTHONDONTWRITEBYTECODE=1 exec python3 compat/asterisk/scenarios.py "$CORDBOARD_BIN" "$@"
