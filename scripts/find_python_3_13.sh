#!/usr/bin/env bash
# Prints the path of a Python 3.13, the one that Lambda runs, or nothing when there is none. PYTHON_3_13 names one.
set -euo pipefail
for python in "${PYTHON_3_13:-}" python3.13 "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.13*/bin/python "$HOME"/.local/share/uv/python/cpython-3.13*/bin/python; do
  if [ -n "$python" ] && [ "$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)" = 3.13 ]; then
    echo "$python"
    exit
  fi
done
