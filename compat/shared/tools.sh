#!/usr/bin/env bash
# What checks with other people's programs share: to be sourced from the root of the checkout, with CACHE set to the folder
# outside the checkout where a check keeps what it installs. What is missing is installed and said so first.

# Exit code 77: not possible here; 78: only something outside this project is out of reach. The last line says why.
skip() { echo "SKIPPED: $*"; exit 77; }

skip_out_of_reach() { echo "SKIPPED: $*"; exit 78; }

# Announcements pass the log of ./test by, where it runs this.
announce() { if { true >&3; } 2>/dev/null; then printf '      %s\n' "$*" >&3; else printf '%s\n' "$*"; fi; }

need() { # COMMAND PACKAGES
  command -v "$1" >/dev/null || apt_get "$1" "$2"
}

apt_get() { # WHAT PACKAGES
  [ "$(id -u)" = 0 ] || skip "$1 is missing: apt-get install $2"
  announce "installing $2 with apt-get"
  # shellcheck disable=SC2086 # several packages
  { apt-get -q update && DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends $2; } >"$CACHE/apt.log" 2>&1 \
    || skip "$1 cannot be installed; see $CACHE/apt.log"
}

need_node() { # MAJOR
  need node "nodejs npm" && need npm npm
  [ "$(node -p 'parseInt(process.versions.node)')" -ge "$1" ] || skip "node $1 or newer is needed, here is $(node --version)"
}

# Whether what was made of these files is there and they are still the same.
is_current() { # WHAT FILES...
  local what=$1
  shift
  [ -d "$CACHE/$what" ] && [ "$(cat "$CACHE/$what.made" 2>/dev/null)" = "$(sha256sum "$@")" ]
}

remember() { # WHAT FILES...
  local what=$1
  shift
  sha256sum "$@" >"$CACHE/$what.made"
}

# The binary to try: CORDBOARD_BIN, else the development build.
need_cordboard() {
  [ -z "${CORDBOARD_BIN:-}" ] || return 0
  cargo build --quiet --package cordboard-server --bin cordboard
  CORDBOARD_BIN=${CARGO_TARGET_DIR:-target}/debug/cordboard
}
