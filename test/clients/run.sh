#!/usr/bin/env bash
# Real clients against real servers: boto3, AWS CLI, s3cmd, rclone, s5cmd, obstore, delta-rs. (The AWS
# SDK for JavaScript is part of `npm test`.) Arguments go to pytest: `test/clients/run.sh -k rclone`.
#
# Needs Python 3.11, s3cmd, rclone, openssl and curl; Go for s5cmd, which is left out without it.
# What else is needed is kept in .cache/clients.
set -euo pipefail
cd "$(dirname "$0")/../.."
clients=$PWD/test/clients
cache=$PWD/.cache/clients
minutes_max=30

for command in python3 s3cmd rclone openssl curl; do
  if ! command -v "$command" >/dev/null; then
    echo "$command is needed: apt-get install -y python3-venv s3cmd rclone openssl curl" >&2
    exit 2
  fi
done

# Prints a name for the contents of the files.
version_of() { cat "$@" | sha256sum | cut -c1-16; }

install_python_clients() {
  local requirements=$clients/python/requirements.txt
  local stamp=$cache/venv/installed-$(version_of "$requirements")
  if [[ -e $stamp ]]; then return; fi
  rm -rf "$cache/venv"
  python3 -m venv "$cache/venv"
  "$cache/venv/bin/pip" install --quiet --disable-pip-version-check --requirement "$requirements"
  touch "$stamp"
}

build_s5cmd() {
  local module=$cache/s5cmd-$(version_of "$clients"/s5cmd/go.*)
  s5cmd_directory=$module/bin
  if [[ -x $s5cmd_directory/s5cmd ]]; then return; fi
  if ! command -v go >/dev/null; then
    echo "There is no Go to build s5cmd with: its tests are skipped."
    return
  fi
  mkdir -p "$module"
  cp "$clients"/s5cmd/go.* "$module"
  if ! (cd "$module" && GOFLAGS=-mod=mod GOTOOLCHAIN=local \
    go build -o "$s5cmd_directory/s5cmd" github.com/peak/s5cmd/v2); then
    echo "s5cmd could not be built: its tests are skipped."
  fi
}

node bin/setup.cjs
mkdir -p "$cache"
install_python_clients
build_s5cmd
PATH=$s5cmd_directory:$PATH exec timeout --kill-after=30 "${minutes_max}m" \
  "$cache/venv/bin/python" -m pytest "$clients/python" -o cache_dir="$cache/pytest" --quiet "$@" </dev/null
