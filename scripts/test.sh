#!/usr/bin/env bash
# Runs all tests but those on real data. Those of the units and of the server also measure what they cover.
set -uo pipefail
cd "$(dirname "$0")/.."

bash scripts/setup.sh --for-tests || exit 1
npx --no-install c8 node dist/test/run.js unit http
first=$?
node dist/test/run.js kafka integration
second=$?
# The first part has scrolled away by now.
if [ "$first" -ne 0 ]; then echo 'The tests of the units and of the server failed, or covered too little: see the first summary above.' >&2; fi
exit $((first != 0 || second != 0))
