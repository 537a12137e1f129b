#!/usr/bin/env bash
# Creates or updates the virtual environment from the lock file. Called by make; repeats at no cost.
set -euo pipefail
python=$1
venv=$2

if ! command -v "$python" >/dev/null; then
  echo "Python 3.11 or newer is needed and '$python' was not found. Install it (Debian: apt-get install python3 python3-venv), or name one: make PYTHON=/path/to/python3.12" >&2
  exit 1
fi
if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
  echo "Python 3.11 or newer is needed; '$python' is $("$python" -V 2>&1). Name a newer one: make PYTHON=/path/to/python3.12" >&2
  exit 1
fi
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
  echo "This Python cannot create virtual environments. Install that part (Debian: apt-get install python3-venv) and try again." >&2
  exit 1
fi

[ -x "$venv/bin/python" ] || { echo "creating $venv"; "$python" -m venv "$venv"; }
if [ ! -x "$venv/bin/uv" ]; then
  uv_pin=$(grep -oE '^uv==[0-9.]+' requirements/dev.lock)
  "$venv/bin/pip" install -q --disable-pip-version-check "$uv_pin"
fi
echo "installing the locked requirements"
"$venv/bin/uv" pip sync -q --compile-bytecode --python "$venv/bin/python" --require-hashes requirements/dev.lock
touch "$venv/.installed"
