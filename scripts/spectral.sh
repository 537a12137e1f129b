#!/usr/bin/env bash
# Lints OpenAPI documents by Spectral's recommended rules; any finding fails. Spectral is a Node program, installed on first
# use from its lock file into .tools/; on a machine without Node the lint is left out, and this says so.
set -euo pipefail
cd "$(dirname "$0")/.."
source=requirements/spectral
tools=.tools/spectral

if ! command -v npm >/dev/null; then
  echo "Spectral left out: npm was not found. Install Node 18 or newer (Debian: apt-get install npm) to lint the API document." >&2
  exit 0
fi
if [ ! -e $tools/.installed ] || [ $source/package-lock.json -nt $tools/.installed ]; then
  echo "installing Spectral into $tools (once)" >&2
  mkdir -p $tools
  cp $source/package.json $source/package-lock.json $tools/
  npm ci --prefix $tools --ignore-scripts --no-audit --no-fund --loglevel=error >&2
  touch $tools/.installed
fi
node $tools/node_modules/@stoplight/spectral-cli/dist/index.js lint --ruleset $source/ruleset.yaml --fail-severity hint "$@"
