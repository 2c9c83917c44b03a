#!/usr/bin/env bash
# Prints the folder of OpenTimelineIO with its reader of CMX 3600 for the tests; installs it there where it is missing.
set -euo pipefail
packages=(opentimelineio==0.18.1 otio-cmx3600-adapter==1.0.0)
python="$(python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])')"
dir="${XDG_CACHE_HOME:-$HOME/.cache}/cameo-tests/otio-0.18.1-python$python"

if [ ! -d "$dir/opentimelineio" ]; then
  mkdir -p "$(dirname "$dir")"
  new="$(mktemp -d "$dir.XXXXXX")"
  trap 'rm -rf "$new"' EXIT
  python3 -m pip install --quiet --disable-pip-version-check --root-user-action=ignore \
    --only-binary :all: --target "$new" "${packages[@]}" >&2
  rm -rf "$dir"
  mv "$new" "$dir"
fi
printf '%s\n' "$dir"
