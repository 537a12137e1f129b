#!/usr/bin/env bash
# Containers for `sam local` on a machine without a container engine or a registry: scripts/container_rig.sh up|run CMD|down
# Needs root and the Debian packages that it names when they are missing. It answers Docker's API on a socket, by podman,
# in a network of its own that has only a loopback; what a container sends to 10.88.0.1 reaches that loopback. So servers
# of `run` are in reach of the containers and of nobody else. The base image is this machine's: Python from here instead
# of Amazon's, this processor instead of arm64. RIG=/path names where all of it is kept.
set -euo pipefail
ROOT=$(cd "$(dirname "$0")/.." && pwd)
RIG=${RIG:-${XDG_CACHE_HOME:-$HOME/.cache}/penguinmails/container-rig}
BRIDGE=10.88.0.1
PACKAGES=(podman runc netavark iptables iproute2 mmdebstrap ca-certificates)
LIBRARIES=ca-certificates,libssl3,zlib1g,libffi8,libsqlite3-0,libbz2-1.0,liblzma5,libreadline8,libexpat1,libuuid1,libncursesw6
export CONTAINERS_CONF=$RIG/containers.conf BUILDAH_ISOLATION=chroot
podman() { command podman --root "$RIG/storage" --runroot "$RIG/run" --storage-driver overlay "$@"; }
inside() { nsenter --net="$RIG/network" "$@"; }

refuse_without_means() {
  [ "$(id -u)" = 0 ] || { echo "not root; containers of this machine's own files need root, or a Docker engine" >&2; exit 3; }
  local missing=()
  for package in "${PACKAGES[@]}"; do dpkg -s "$package" >/dev/null 2>&1 || missing+=("$package"); done
  [ ${#missing[@]} = 0 ] || { echo "missing here: apt-get install --no-install-recommends ${missing[*]}" >&2; exit 3; }
}

configure() {
  cat >"$RIG/containers.conf" <<'CONF'
[containers]
log_driver = "k8s-file"
default_ulimits = ["nofile=4096:4096", "nproc=4096:4096"]
dns_servers = ["127.0.0.1"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
stop_timeout = 0
CONF
}

make_network() {
  touch "$RIG/network"
  unshare --net="$RIG/network" true
  inside ip link set lo up
  inside sysctl -qw net.ipv4.conf.all.route_localnet=1
  for protocol in tcp udp; do
    inside iptables -t nat -A PREROUTING -d $BRIDGE -p $protocol -j DNAT --to-destination 127.0.0.1
    inside iptables -t nat -A INPUT -s 10.88.0.0/16 -d 127.0.0.1 -p $protocol -j SNAT --to-source 127.0.0.1
  done
}

# The interpreter of Lambda's version where there is one, else Debian's.
copy_python() {
  local python lang=$RIG/image/lang
  python=$(bash "$ROOT/scripts/find_python_3_13.sh")
  rm -rf "$lang" && mkdir -p "$lang/bin" "$lang/lib"
  if [ -z "$python" ]; then
    echo 3.11 >"$RIG/python"; LIBRARIES+=,python3.11
    ln -s /usr/bin/python3.11 "$lang/bin/python3"
    return
  fi
  echo 3.13 >"$RIG/python"
  local prefix; prefix=$("$python" -c 'import sys; print(sys.base_prefix)')
  cp -a "$prefix"/bin/python3.13 "$lang/bin/"
  cp -a "$prefix"/lib/libpython3.13* "$lang/lib/" 2>/dev/null || true
  tar -c -C "$prefix/lib" --exclude=__pycache__ --exclude=test --exclude=site-packages --exclude=idlelib --exclude=tkinter python3.13 | tar -x -C "$lang/lib"
  mkdir -p "$lang/lib/python3.13/site-packages"
  ln -s python3.13 "$lang/bin/python3"
}

make_image() {
  local name made_of; name=$(image_name)
  made_of=$(cat "$ROOT/requirements/container.lock" "$ROOT/scripts/container_rig.sh" | sha256sum)
  if podman image exists "$name" && [ "$(cat "$RIG/.made" 2>/dev/null)" = "$made_of" ]; then return; fi
  echo "making a base image of this machine's files (about a minute, once)" >&2
  rm -rf "$RIG/image" && mkdir -p "$RIG/image/runtime"
  copy_python
  mmdebstrap --quiet --variant=minbase --include="$LIBRARIES" bookworm "$RIG/image/root.tar"
  podman import -q "$RIG/image/root.tar" localhost/lambda-base:latest >/dev/null && rm "$RIG/image/root.tar"
  "$ROOT/.venv/bin/uv" pip install -q --target "$RIG/image/runtime" --python-version "$(cat "$RIG/python")" \
    --python-platform "$(uname -m)-manylinux_2_28" --only-binary :all: --require-hashes -r "$ROOT/requirements/container.lock"
  cat >"$RIG/image/bootstrap" <<'SH'
#!/bin/sh
export AWS_EXECUTION_ENV=AWS_Lambda_python3.13
exec /var/lang/bin/python3 /var/runtime/bootstrap.py
SH
  cat >"$RIG/image/bootstrap.py" <<'PY'
# The search path of the managed runtime: the function, the layers, then what the runtime brings.
import os, sys

sys.path[:0] = [os.environ.get("LAMBDA_TASK_ROOT", "/var/task"), "/opt/python"]
from awslambdaric import __main__ as client

client.main(["awslambdaric", os.environ["_HANDLER"]])
PY
  cat >"$RIG/image/Dockerfile" <<'IMAGE'
FROM localhost/lambda-base:latest
COPY lang/ /var/lang/
COPY runtime/ bootstrap bootstrap.py /var/runtime/
RUN mkdir -p /var/task /opt /var/rapid && chmod 755 /var/runtime/bootstrap
ENV LANG=C.UTF-8 TZ=UTC PATH=/var/lang/bin:/usr/local/bin:/usr/bin:/bin:/opt/bin \
    LD_LIBRARY_PATH=/var/lang/lib:/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:/var/task:/var/task/lib:/opt/lib \
    LAMBDA_TASK_ROOT=/var/task LAMBDA_RUNTIME_DIR=/var/runtime
RUN /var/lang/bin/python3 -m compileall -q /var/lang/lib /var/runtime
WORKDIR /var/task
IMAGE
  podman build -q -t "$name" "$RIG/image" >/dev/null
  rm -rf "$RIG/image"
  echo "$made_of" >"$RIG/.made"
}

# The name under which the SAM CLI looks for the image of a runtime, asked of the SAM CLI.
image_name() {
  bash "$ROOT/scripts/sam.sh" --version >/dev/null
  "$ROOT/.tools/sam/bin/python" - <<'PY'
import platform
from samcli.local.docker.lambda_image import LambdaImage, Runtime

processor = "arm64" if platform.machine() == "aarch64" else "x86_64"
print(LambdaImage._INVOKE_REPO_PREFIX + "/" + Runtime.get_image_name_tag("python3.13", processor))
PY
}

serve() {
  rm -f "$RIG/podman.sock"
  setsid nsenter --net="$RIG/network" podman --root "$RIG/storage" --runroot "$RIG/run" --storage-driver overlay \
    system service --time=0 "unix://$RIG/podman.sock" >"$RIG/service.log" 2>&1 </dev/null &
  echo $! >"$RIG/service.pid"
  for _ in $(seq 50); do [ -S "$RIG/podman.sock" ] && return; sleep 0.2; done
  echo "podman does not serve; see $RIG/service.log" >&2
  exit 1
}

# What the SAM CLI has made of the base image and the layers, of no use to another run.
forget_layers() {
  local images; images=$(podman images -q samcli/lambda-python 2>/dev/null || true)
  [ -z "$images" ] || podman rmi -f $images >/dev/null 2>&1 || true
  podman image prune -f >/dev/null 2>&1 || true
}

down() {
  if [ -e "$RIG/service.pid" ]; then
    inside podman --root "$RIG/storage" --runroot "$RIG/run" --storage-driver overlay ps -aq 2>/dev/null \
      | xargs -r nsenter --net="$RIG/network" podman --root "$RIG/storage" --runroot "$RIG/run" --storage-driver overlay rm -f >/dev/null 2>&1 || true
    kill "$(cat "$RIG/service.pid")" 2>/dev/null || true
    rm -f "$RIG/service.pid" "$RIG/podman.sock"
  fi
  umount "$RIG/network" 2>/dev/null || true
  forget_layers
}

case ${1:-} in
up)
  refuse_without_means
  mkdir -p "$RIG"; chmod 700 "$RIG"
  if [ -e "$RIG/service.pid" ] && kill -0 "$(cat "$RIG/service.pid")" 2>/dev/null; then
    echo "the containers are in use by another run; when none is left: scripts/container_rig.sh down" >&2
    exit 4
  fi
  # What a machine that went down has left.
  down
  configure; make_image; make_network; serve
  echo "Python $(cat "$RIG/python") of this machine on $(uname -m)" ;;
run)
  shift
  # A background server must stay interruptible, or its containers outlive it.
  DOCKER_HOST=unix://$RIG/podman.sock exec env --default-signal=INT nsenter --net="$RIG/network" "$@" ;;
python) cat "$RIG/python" ;;
down) down ;;
*) echo "usage: scripts/container_rig.sh up | run COMMAND... | down" >&2; exit 2 ;;
esac
