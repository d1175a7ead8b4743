"""The first start in a real Debian 13: its mounts, users, sudo, sshd and netplan. `make test-first-start` makes the root.

No systemd runs there, so units are not started; `make image-test` has that. The root is read-only and the boot partition is
mounted read-only, as in the image, in namespaces of their own.
"""

from __future__ import annotations

import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.debian_root import fresh_root
from tests.image import imager

pytestmark = pytest.mark.slow

IMAGE = Path(__file__).resolve().parents[3] / "deploy" / "image"
PACKAGES = ("python3-yaml", "netplan.io", "openssh-server", "sudo", "tzdata", "iw", "fdisk", "e2fsprogs")
PASSWORD = "hunter2hunter2"
SSH = ("ssh -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR -o BatchMode=yes -i /run/key "
       "-p 22022")
START = """
export PATH=/usr/sbin:/usr/bin:/sbin:/bin PYTHONPATH=/usr/lib/edge-audio-image PYTHONDONTWRITEBYTECODE=1
mount -t proc proc /proc; mount -t tmpfs -o mode=755 tmpfs /run
mount --bind /data /data; mount -o remount,ro,bind /
mount --bind /data/home /home; mount -t tmpfs tmpfs /tmp
mount -t tmpfs -o mode=700 tmpfs /mnt; cp /seed/* /mnt/; mount --move /mnt /boot/firmware
mount -o remount,ro /boot/firmware
cp /key /run/key; chmod 600 /run/key; mkdir /run/sshd; cd /
"""
STEPS = {
    "take": "python3 -s -m first_start take", "apply": "python3 -s -m first_start apply",
    "again": "python3 -s -m first_start apply", "mounts": "awk '{ print $5 }' /proc/self/mountinfo | grep ^/etc/",
    "boot": "findmnt -n -o OPTIONS /boot/firmware", "report": "cat /boot/firmware/edge-audio-report.txt",
    "user-data": "cat /boot/firmware/user-data", "hostname": "hostname; cat /etc/hostname",
    "zone": "date +%Z; cat /etc/timezone", "user": "getent passwd anna; id -Gn anna", "root": "getent passwd root",
    "hosts": "getent hosts kitchen", "machine": "cat /etc/machine-id /data/system/machine-id",
    "read-only": "touch /etc/probe", "sudoers": "visudo -c", "home": "stat -c %U:%a /home/anna",
    "sudo": f"su anna -c 'echo {PASSWORD} | sudo -S -k id -un'", "no sudo": "su anna -c 'sudo -k -n true'",
    "sshd": "sshd -t && sshd -T", "listen": "/usr/sbin/sshd -p 22022 -o ListenAddress=127.0.0.1; sleep 1",
    "ssh": f"{SSH} anna@127.0.0.1 'id -un; pwd'", "ssh root": f"{SSH} root@127.0.0.1 true",
    "stop": "kill $(cat /run/sshd.pid)", "network": "cat /run/systemd/network/10-netplan-eth0.network",
    "wi-fi": "cat /run/netplan/wpa-wlan0.conf",
}


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[int, str]]:
    """Exit code and output of each step."""
    root = fresh_root()
    folder = root.folder
    root.run("apt-get", "update", "-q")
    root.run("apt-get", "install", "-yq", "--no-install-recommends", *PACKAGES)
    shutil.copytree(IMAGE / "first_start", folder / "usr/lib/edge-audio-image/first_start", dirs_exist_ok=True,
                    ignore=shutil.ignore_patterns("__pycache__"))
    subprocess.run(["cp", "-r", "--no-preserve=ownership", f"{IMAGE / 'files'}/.", folder], check=True)
    for path in (folder / "etc" / "netplan").iterdir():
        path.chmod(0o600)
    (folder / "etc" / "sudoers.d" / "edge-audio-image").chmod(0o440)
    (folder / "etc" / "machine-id").write_text("")
    (folder / "etc" / "fstab").write_text("")    # what is mounted for the boot partition here is no vfat
    for name in ("data/home", "boot/firmware", "seed"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    program = folder / "usr" / "bin" / "edge-audio"    # the appliance's own judgement is tested elsewhere
    program.write_text("#!/bin/sh\nexit 0\n")
    program.chmod(0o755)
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "laptop", "-f", folder / "key"], check=True)
    hashed = subprocess.run(["openssl", "passwd", "-6", PASSWORD], capture_output=True, text=True, check=True).stdout.strip()
    seed = folder / "seed"
    public = (folder / "key.pub").read_text().strip()
    (seed / "user-data").write_text(imager.user_data(host="kitchen", user="anna", hashed=hashed, password_login=True,
                                                     keys=[public]))
    (seed / "network-config").write_text(imager.network_config("Home", imager.psk("correct horse", "Home")))
    (seed / "edge-audio.toml").write_text("# nothing\n")
    lines = [START, *(f"echo '<<< {name}'; ({command}) 2>&1; echo \"rc $?\"" for name, command in STEPS.items())]
    (folder / "steps.sh").write_text("\n".join(lines))
    inside = f"mount --bind {folder} {folder} && exec {shlex.join(root.command('sh', '/steps.sh'))}"
    done = subprocess.run(["unshare", "--mount", "--uts", "--pid", "--fork", "--propagation", "private", "sh", "-c", inside],
                          capture_output=True, text=True, timeout=300, check=True)
    found = {}
    for part in done.stdout.split("<<< ")[1:]:
        name, _, rest = part.partition("\n")
        output, _, code = rest.rpartition("rc ")
        found[name] = (int(code), output)
    assert found.keys() == STEPS.keys(), done.stdout + done.stderr
    return found


def test_the_boot_partition_is_written_only_while_that_is_needed(said: dict[str, tuple[int, str]]) -> None:
    assert said["take"] == (0, "") and said["boot"][1].startswith("ro,")
    assert "user anna: a password, sudo with the password, ssh keys: ssh-ed25519 laptop" in said["report"][1]
    assert 'passwd: "xxxx' in said["user-data"][1] and "$6$" not in said["user-data"][1]


@pytest.mark.parametrize("step", ["apply", "again"])
def test_all_is_made_but_what_needs_systemd(said: dict[str, tuple[int, str]], step: str) -> None:
    lines = said[step][1].splitlines()
    assert len(lines) == 1 and lines[0].startswith("edge-audio: first start: this boot: systemctl: exit code 1: "), lines


def test_it_mounts_each_file_once_over_the_slot_s_own(said: dict[str, tuple[int, str]]) -> None:
    mounted = said["mounts"][1].split()
    assert sorted(mounted) == [f"/etc/{name}" for name in (
        "group", "gshadow", "hostname", "hosts", "machine-id", "passwd", "shadow")]
    assert said["read-only"][0] == 1 and said["root"][1].startswith("root:x:0:0:")
    assert said["hostname"][1] == "kitchen\nkitchen\n" and said["hosts"][1].split() == ["127.0.1.1", "kitchen"]
    assert said["zone"][1] in ("GMT\nEurope/London\n", "BST\nEurope/London\n")
    one, other = said["machine"][1].split()
    assert one == other


def test_the_owner_logs_in_with_the_key_and_is_root_with_the_password(said: dict[str, tuple[int, str]]) -> None:
    assert said["user"][1].startswith("anna:x:1000:1000::/home/anna:/bin/bash\nanna ") and " sudo" in said["user"][1]
    assert said["home"][1] == "anna:700\n" and said["sudoers"][0] == 0
    assert said["sudo"][1].endswith("root\n") and said["no sudo"][0] == 1
    assert said["ssh"] == (0, "anna\n/home/anna\n") and said["ssh root"][0] != 0
    for line in ("permitrootlogin no", "passwordauthentication yes", "allowusers anna", "kbdinteractiveauthentication no"):
        assert f"{line}\n" in said["sshd"][1]


def test_netplan_s_own_units_are_made(said: dict[str, tuple[int, str]]) -> None:
    assert "ClientIdentifier=mac" in said["network"][1] and "DHCP=yes" in said["network"][1]
    assert "country=GB" in said["wi-fi"][1] and f"psk={imager.psk('correct horse', 'Home')}" in said["wi-fi"][1]
