#!/usr/bin/env bash
# stage1.sh STATE HOOK LOWER: PID 1 of the new namespaces. Makes a root of an overlay over LOWER, the
# host's own root or another, so that nothing is written there, lets HOOK change it ($R), and becomes
# systemd.
set -euo pipefail
state=$1 hook=$2 lower=$3 mnt=$1/mnt

mount -t tmpfs -o mode=755 machine "$mnt"
mkdir "$mnt/up" "$mnt/work" "$mnt/root"
R=$mnt/root
mount -t overlay overlay -o "lowerdir=$lower,upperdir=$mnt/up,workdir=$mnt/work" "$R"
chmod 755 "$R"
mount -t proc -o nosuid,nodev,noexec proc "$R/proc"
mount -t sysfs -o nosuid,nodev,noexec,ro sysfs "$R/sys"
mount -t cgroup2 -o nosuid,nodev,noexec cgroup2 "$R/sys/fs/cgroup"
mount -t tmpfs -o nosuid,strictatime,mode=755,size=4m devices "$R/dev"
for device in null zero full random urandom tty; do
    : >"$R/dev/$device"
    mount --bind "/dev/$device" "$R/dev/$device"
done
mkdir "$R/dev/pts" "$R/dev/shm" "$R/dev/mqueue"
mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts "$R/dev/pts"
ln -s pts/ptmx "$R/dev/ptmx"
ln -s /proc/self/fd "$R/dev/fd"
for link in 0:stdin 1:stdout 2:stderr; do ln -s "/proc/self/fd/${link%:*}" "$R/dev/${link#*:}"; done
mount -t tmpfs -o nosuid,nodev,mode=1777 tmpfs "$R/dev/shm"
mount -t tmpfs -o nosuid,nodev,mode=755 tmpfs "$R/run"
mount -t tmpfs -o nosuid,nodev,mode=1777 tmpfs "$R/tmp"
# The kernel's knobs stay read-only; those of the network are this namespace's own.
mount --bind "$R/proc/sys" "$R/proc/sys"
mount --bind "$R/proc/sys/net" "$R/proc/sys/net"
mount -o remount,bind,ro "$R/proc/sys"
mount -o remount,bind,rw "$R/proc/sys/net"

# What the host would start, mount and be called.
rm -rf "$R"/etc/systemd/system/*.{wants,requires} "$R"/etc/systemd/user/*.wants \
    "$R"/etc/rc?.d "$R/etc/machine-id" "$R/var/lib/systemd/linger" "$R/var/log/journal"
: >"$R/etc/fstab"
: >"$R/etc/machine-id"
echo machine >"$R/etc/hostname"
hostname machine
printf '127.0.0.1 localhost machine\n::1 localhost\n' >"$R/etc/hosts"
ln -sf /lib/systemd/system/multi-user.target "$R/etc/systemd/system/default.target"
for unit in systemd-timesyncd.service systemd-resolved.service systemd-networkd.service \
    systemd-udevd.service systemd-sysctl.service systemd-modules-load.service \
    systemd-update-utmp.service systemd-update-utmp-runlevel.service e2scrub_reap.service \
    console-getty.service getty@tty1.service apt-daily.timer apt-daily-upgrade.timer \
    e2scrub_all.timer fstrim.timer man-db.timer dpkg-db-backup.timer logrotate.timer; do
    ln -sf /dev/null "$R/etc/systemd/system/$unit"
done
ip link set lo up
# A directory that the tests share with what is inside.
mkdir -p "$R/srv/shared"
mount --bind "$state/shared" "$R/srv/shared"
R=$R bash "$hook"

cd "$R"
mkdir -p .old
pivot_root . .old
mount --make-rprivate /.old
umount -l /.old
rmdir /.old 2>/dev/null || true
mount --make-rshared /
exec /usr/bin/env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    container=machine LANG=C.UTF-8 \
    setpriv --bounding-set \
    -sys_time,-sys_module,-sys_rawio,-sys_boot,-syslog,-wake_alarm,-mac_admin,-mac_override \
    /lib/systemd/systemd --system --log-target=journal --show-status=no
