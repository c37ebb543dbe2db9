# Sourced by ./demo, ./test and .ci/run: brings a fresh Debian 12 machine with Node, npm and root to where the project runs.
# Usage: . scripts/setup.sh; setup_system PACKAGE:COMMAND ...; setup_node

say() { printf '%s\n' "$*"; }

refuse() {
  printf 'error: %s\n' "$1" >&2
  [ -n "${2:-}" ] && printf 'hint:  %s\n' "$2" >&2
  exit 2
}

# A package is there when its command is found, or, written with a path, when that file exists.
present() {
  case "$1" in
    /*) [ -e "$1" ] ;;
    *) command -v "$1" >/dev/null 2>&1 ;;
  esac
}

setup_system() {
  missing=""
  for pair in "$@"; do
    present "${pair#*:}" || missing="$missing ${pair%%:*}"
  done
  [ -z "$missing" ] && return 0
  if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; then
    refuse "missing system packages:$missing" "as root: apt-get install$missing"
  fi
  say "installing system packages:$missing"
  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing; } >"${TMPDIR:-/tmp}/blindbox-apt.$$" 2>&1 || {
    tail -n 5 "${TMPDIR:-/tmp}/blindbox-apt.$$" >&2
    rm -f "${TMPDIR:-/tmp}/blindbox-apt.$$"
    refuse "apt-get could not install:$missing" "run: apt-get update && apt-get install$missing"
  }
  rm -f "${TMPDIR:-/tmp}/blindbox-apt.$$"
}

setup_node() {
  command -v node >/dev/null 2>&1 || refuse "node: not found; expected Node.js 20 or later" "https://nodejs.org/en/download"
  command -v npm >/dev/null 2>&1 || refuse "npm: not found; it comes with Node.js" "https://nodejs.org/en/download"
  major=$(node -p 'process.versions.node.split(".")[0]')
  [ "$major" -ge 20 ] || refuse "node: version $(node -v); expected 20 or later" "https://nodejs.org/en/download"
  if ! cmp -s package-lock.json node_modules/.blindbox-lock 2>/dev/null; then
    say "installing npm packages"
    npm ci --ignore-scripts --no-audit --no-fund --loglevel=error || refuse "npm ci failed" "is the npm registry reachable?"
    cp package-lock.json node_modules/.blindbox-lock
  fi
  PATH="$PWD/node_modules/.bin:$PATH"
  export PATH
}
