#!/usr/bin/env bash
# Prints the folder of Schemathesis, which asks the server random questions in the tests. Installs it if it is missing.
set -euo pipefail
. "$(dirname "$0")/python-wheels.sh"
folder_of schemathesis-4.32.5 schemathesis schemathesis==4.32.5
