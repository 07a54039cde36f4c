#!/bin/bash
# Runs tests of volumes on NFS, on a machine whose own kernel need not know of NFS and that need not
# have KVM: a Linux kernel as an ordinary process (user-mode Linux) serves a directory by NFS, and mounts
# it twice, as two machines with caches of their own. Debian 12, root, 1 GB of disk, 2 GB of memory.
#
#   tools/nfs-proof/prove.sh                     two servers, over NFS 4.2
#   tools/nfs-proof/prove.sh machines keys       these files of test/volume
#   LODE_NFS_OPTIONS=vers=3,noac,lookupcache=none tools/nfs-proof/prove.sh
#
# LODE_NFS_PROOF: a directory to keep the installed system in, so that the next run begins at once.
# It ends by itself, after LODE_NFS_SECONDS (1,200) at the latest. Not part of the checks of each change.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
repository=$(cd "$here/../.." && pwd)
tests=${*:-machines locks processes}
options=${LODE_NFS_OPTIONS:-vers=4.2}
seconds=${LODE_NFS_SECONDS:-1200}
work=${LODE_NFS_PROOF:-}
if [ -z "$work" ]; then
  work=$(mktemp -d /var/tmp/lode-nfs-proof.XXXXXX)
  trap 'rm -rf "$work"' EXIT
fi
mkdir -p "$work"
root=$work/root

fail() {
  echo "nfs-proof: $*" >&2
  exit 1
}

[ "$(id -u)" = 0 ] || fail "run it as root: it installs packages and makes a root file system"
node=$(PATH="$repository/node_modules/.bin:$PATH" node -p process.execPath)

install_packages() {
  local missing=()
  command -v linux.uml > /dev/null || missing+=(user-mode-linux)
  command -v mmdebstrap > /dev/null || missing+=(mmdebstrap)
  command -v gcc > /dev/null || missing+=(gcc libc6-dev)
  [ ${#missing[@]} = 0 ] && return
  DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}"
}

make_root() {
  [ -e "$root/.made" ] && return
  mmdebstrap --mode=root --variant=minbase \
    --include=nfs-kernel-server,nfs-common,iproute2,kmod,e2fsprogs,util-linux,procps \
    bookworm "$root"
  mkdir -p "$root/lode" "$root/out" "$root/export" "$root/mnt/a" "$root/mnt/b"
  mkdir -p "$root/lib/modules"
  cp -r /usr/lib/uml/modules/* "$root/lib/modules/"
  touch "$root/.made"
}

prepare() {
  cp "$here/guest.sh" "$root/guest.sh"
  cp "$node" "$root/usr/local/bin/node"
  gcc -O2 -shared -fPIC -o "$work/whole-xstate.so" "$here/whole-xstate.c"
  rm -rf "$work/out" "$work/export.img"
  mkdir -p "$work/out"
  truncate -s 16G "$work/export.img"
  printf 'repository=%q\nout=%q\noptions=%q\ntests=%q\n' \
    "$repository" "$work/out" "$options" "$tests" > "$root/settings"
}

# In a process group of its own, so that all of it ends.
run_kernel() {
  set -m
  LD_PRELOAD="$work/whole-xstate.so" nice -n 19 timeout --kill-after=5 "$seconds" linux.uml \
    mem=2048M rootfstype=hostfs rootflags="$root" rw init=/guest.sh "ubd0=$work/export.img" \
    con=null con0=null,fd:1 "umid=lode-nfs-$$" < /dev/null > "$work/out/kernel.log" 2>&1 &
  local kernel=$!
  trap 'kill -KILL -- -'"$kernel"' 2> /dev/null || true; [ -n "${LODE_NFS_PROOF:-}" ] || rm -rf "$work"' EXIT
  touch "$work/out/said"
  tail -n +1 -f --pid="$kernel" "$work/out/said" &
  local said=$!
  disown "$said"
  while kill -0 "$kernel" 2> /dev/null && [ ! -e "$work/out/result" ]; do
    sleep 2
    # On a busy machine user-mode Linux can lose the end of its timer, and wait for it for ever.
    pkill -ALRM -P "$kernel" -x linux.uml || true
  done
  sleep 1
  kill "$said" 2> /dev/null || true
  kill -KILL -- "-$kernel" 2> /dev/null || true
  wait "$kernel" 2> /dev/null || true
}

install_packages
make_root
prepare
run_kernel
result=$(cat "$work/out/result" 2> /dev/null || echo none)
[ "$result" = none ] && tail -n 30 "$work/out/kernel.log" >&2 && fail "the kernel ended, or its time did"
[ "$result" = 0 ] || fail "$result of the test files failed"
echo "nfs-proof: all passed"
