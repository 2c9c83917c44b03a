#!/usr/bin/env bash
# Prints the folder of Schemathesis, which asks the server random questions in the tests; installs it there where it is missing.
set -euo pipefail
packages=(schemathesis==4.32.5)
python="$(python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])')"
dir="${XDG_CACHE_HOME:-$HOME/.cache}/cameo-tests/schemathesis-4.32.5-python$python"

if [ ! -d "$dir/schemathesis" ]; then
  mkdir -p "$(dirname "$dir")"
  new="$(mktemp -d "$dir.XXXXXX")"
  trap 'rm -rf "$new"' EXIT
  python3 -m pip install --quiet --disable-pip-version-check --root-user-action=ignore \
    --only-binary :all: --target "$new" "${packages[@]}" >&2
  rm -rf "$dir"
  mv "$new" "$dir"
fi
printf '%s\n' "$dir"
