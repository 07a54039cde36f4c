#!/bin/bash
# What the kernel of prove.sh runs instead of an init: an NFS server, two clients, the tests.
export PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/tmp
. /settings
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
for directory in /run /tmp /var/lib/nfs; do mount -t tmpfs tmpfs "$directory"; done
mkdir -p /dev/shm /run/rpcbind /var/lib/nfs/sm /var/lib/nfs/sm.bak /var/lib/nfs/v4recovery
mount -t tmpfs tmpfs /dev/shm
touch /var/lib/nfs/etab /var/lib/nfs/rmtab /var/lib/nfs/state
ln -sf /proc/self/fd /dev/fd
mount -t hostfs -o "$repository" none /lode -o ro
mount -t hostfs -o "$out" none /out
exec >> /out/said 2>&1
echo "kernel $(uname -r), node $(node --version)"

serve() {
  mkfs.ext4 -q -F /dev/ubda
  mount /dev/ubda /export
  mount -t nfsd nfsd /proc/fs/nfsd
  rpcbind -w
  rpc.statd --no-notify
  echo '/export *(rw,sync,no_root_squash,no_subtree_check,fsid=0,insecure)' > /etc/exports
  exportfs -ra
  rpc.mountd
  rpc.nfsd 8
}

# The export is the root of what NFS 4 shows; the paths of NFS 3 are those of the server.
case $options in
  *vers=3*) exported=/export ;;
  *) exported=/ ;;
esac

# A machine of its own to the server: address, name, connection and caches.
mount_as() {
  local number=$1 directory=$2
  ip netns add "c$number"
  ip link add "s$number" type veth peer name "e$number" netns "c$number"
  ip addr add "10.77.$number.1/24" dev "s$number"
  ip link set "s$number" up
  ip -n "c$number" addr add "10.77.$number.2/24" dev "e$number"
  ip -n "c$number" link set "e$number" up
  nsenter --net="/run/netns/c$number" unshare --uts sh -c "hostname client$number;
    mount -t nfs -o $options,nosharecache,nolock 10.77.$number.1:$exported $directory"
}

for module in veth nfsv3 nfsv4 nfsd; do modprobe "$module"; done
hostname server
ip link set lo up
serve
if ! mount_as 1 /mnt/a || ! mount_as 2 /mnt/b; then
  echo all > /out/result
  sleep 60
fi
grep ' /mnt/' /proc/mounts
cd /lode || exit
export LODE_TEST_MOUNTS=/mnt/a:/mnt/b
failed=0
for name in $tests; do
  echo "# test/volume/$name.test.ts"
  timeout 600 node --test --test-reporter=spec "test/volume/$name.test.ts" || failed=$((failed + 1))
done
echo "$failed" > /out/result
sync
sleep 60
