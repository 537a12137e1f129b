#!/usr/bin/env bash
# Runs scripts/audit.py with pip-audit in an environment of its own, made on first use from the locked requirements.
set -euo pipefail
cd "$(dirname "$0")/.."
tools=.tools/audit
if [ ! -e $tools/.installed ] || [ requirements/audit.lock -nt $tools/.installed ]; then
  .venv/bin/uv venv -q --allow-existing --python .venv/bin/python $tools
  .venv/bin/uv pip sync -q --python $tools/bin/python --require-hashes requirements/audit.lock
  touch $tools/.installed
fi
exec .venv/bin/python -m scripts.audit "$@"
