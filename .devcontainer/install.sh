#!/usr/bin/env bash
# Installs the programs that `.ci/run` needs, and the locked dependencies of the repository.
set -euo pipefail
cd "$(dirname "$0")/.."
sudo apt-get update -qq
sudo DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends \
  pgbouncer prometheus chromium jq systemd >/dev/null
node scripts/run.mjs bundle
