# Sourced by ./demo and ./test: brings a fresh Debian 12 machine with Node, npm and root to where the project runs.
# Usage: . scripts/setup.sh; setup_system PACKAGE:COMMAND ...; setup_node

# Bash goes on after Ctrl-C when the program in front took it for itself and ended well, as compilers do.
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
log="${TMPDIR:-/tmp}/blindbox-apt.$$"
trap 'rm -f "$log"' EXIT

say() { printf '%s\n' "$*"; }

complain() {
  printf 'error: %s\n' "$1" >&2
  [ -z "${2:-}" ] || printf 'hint:  %s\n' "$2" >&2
}

refuse() {
  complain "$@"
  exit 2
}

fail() {
  complain "$@"
  exit 1
}

# The images of the tests hold nothing but this one program: it has to run without a library beside it.
statically_linked() {
  case "$(ldd "$1" 2>/dev/null)" in
    *"=>"*) return 1 ;;
  esac
}

# A package is there when its command is found; BusyBox comes in two packages, of which only one will do.
present() {
  command -v "$1" >/dev/null 2>&1 || return 1
  [ "$1" != busybox ] || statically_linked "$(command -v busybox)"
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
  { apt-get update -qq && RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing; } >"$log" 2>&1 || {
    tail -n 5 "$log" >&2
    refuse "apt-get could not install:$missing" "run: apt-get update && apt-get install$missing"
  }
}

# Installs a folder's npm packages from its lockfile, once for each lockfile. Usage: setup_folder FOLDER WHAT
setup_folder() {
  if ! cmp -s "$1/package-lock.json" "$1/node_modules/.blindbox-lock" 2>/dev/null; then
    say "installing $2"
    (cd "$1" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error) || refuse "npm ci failed" "is the npm registry reachable?"
    cp "$1/package-lock.json" "$1/node_modules/.blindbox-lock"
  fi
}

setup_node() {
  command -v node >/dev/null 2>&1 || refuse "node: not found; expected Node.js 20 or later" "https://nodejs.org/en/download"
  command -v npm >/dev/null 2>&1 || refuse "npm: not found; it comes with Node.js" "https://nodejs.org/en/download"
  major=$(node -p 'process.versions.node.split(".")[0]')
  [ "$major" -ge 20 ] || refuse "node: version $(node -v); expected 20 or later" "https://nodejs.org/en/download"
  setup_folder . "npm packages"
  PATH="$PWD/node_modules/.bin:$PATH"
  export PATH
}
