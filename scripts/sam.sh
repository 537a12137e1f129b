#!/usr/bin/env bash
# Runs the SAM CLI from an environment of its own (it pins packages that ours would clash with), made on first use from
# the locked requirements. No telemetry, no credentials, no account: `scripts/sam.sh validate --lint`.
# A command that needs an account (`deploy`) runs with the caller's own AWS environment: AWS=mine scripts/sam.sh deploy
set -euo pipefail
cd "$(dirname "$0")/.."
tools=.tools/sam

if [ ! -e $tools/.installed ] || [ requirements/sam.lock -nt $tools/.installed ]; then
  echo "installing the SAM CLI into $tools (about a minute, once)" >&2
  [ -x $tools/bin/python ] || .venv/bin/python -m venv --without-pip $tools
  .venv/bin/uv pip sync -q --compile-bytecode --python $tools/bin/python --require-hashes requirements/sam.lock
  touch $tools/.installed
fi

export SAM_CLI_TELEMETRY=0
if [ "${AWS:-none}" != mine ]; then
  unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN AWS_PROFILE
  export AWS_DEFAULT_REGION=eu-west-1 AWS_EC2_METADATA_DISABLED=true AWS_MAX_ATTEMPTS=1
  export AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null
fi
# Through the interpreter: an environment's own scripts name its absolute path, which a moved checkout leaves behind.
exec $tools/bin/python -c 'import sys; from samcli.cli.main import cli; sys.exit(cli(prog_name="sam"))' "$@"
