#!/usr/bin/env bash
# Compiles a layer's sources, so that a cold start loads instead of compiling: importing takes less than half the time.
# Bytecode is bound to the minor version of Python; without a 3.13 at hand the layer goes without, and this says so.
# Unchecked, because a layer never changes under way and Lambda mounts it with other timestamps.
set -euo pipefail
layer=$1
python=$(bash "$(dirname "$0")/find_python_3_13.sh")
if [ -n "$python" ]; then
  "$python" -m compileall -q --invalidation-mode unchecked-hash -s "$layer" -p /opt "$layer/python"
else
  echo "bytecode left out: there is no Python 3.13 here, so functions will start slower. Name one: make build PYTHON_3_13=/path/to/python3.13" >&2
fi
