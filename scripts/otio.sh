#!/usr/bin/env bash
# Prints the folder of OpenTimelineIO with its reader of CMX 3600 for the tests. Installs it if it is missing.
set -euo pipefail
. "$(dirname "$0")/python-wheels.sh"
folder_of otio-0.18.1 opentimelineio opentimelineio==0.18.1 otio-cmx3600-adapter==1.0.0
