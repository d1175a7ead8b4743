"""Which kernel modules the image and its initrd hold: `modules.py ROOT` removes the others and lists the initrd's.

ROOT is a Debian root with one kernel below usr/lib/modules. modules.txt beside this file names, by pattern, what stays
besides what the boards' device trees ask for; what a module needs stays with it. Prints one line with the figures.
"""

from __future__ import annotations

import fnmatch
import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

HERE = Path(__file__).resolve().parent
# What stands between the kernel and the card: all that the boards' trees name in these folders goes into the initrd.
EARLY = ("clk", "dma", "firmware", "gpio", "i2c", "mailbox", "mfd", "mmc", "pinctrl", "pmdomain", "power", "regulator",
         "reset", "soc")
EARLY_ALWAYS = ("ext4", "mmc_block", "virtio_blk", "virtio_pci", "virtio_mmio", "sd_mod", "uas", "usb_storage", "dwc2",
                "xhci_pci", "pcie_brcmstb", "phy_generic")
TREES = ("bcm2837-rpi-3-a-plus", "bcm2837-rpi-3-b", "bcm2837-rpi-3-b-plus", "bcm2837-rpi-zero-2-w", "bcm2711-rpi-4-b",
         "bcm2711-rpi-400", "bcm2711-rpi-cm4-io")


def name_of(path: str) -> str:
    """kernel/fs/ext4/ext4.ko.xz -> ext4"""
    return Path(path).name.split(".ko")[0].replace("-", "_")


def asked_for(trees: Iterable[Path], alias: str) -> set[str]:
    """The modules that `alias` (text of modules.alias) names for the compatible strings of the trees."""
    compatible = set()
    for tree in trees:
        source = subprocess.run(["dtc", "-q", "-I", "dtb", "-O", "dts", str(tree)], check=True, capture_output=True,
                                text=True).stdout
        for line in re.findall(r"compatible = ([^;]*);", source):
            compatible.update(re.findall(r'"([^"]+)"', line))
    found = set()
    for pattern, module in re.findall(r"^alias of:N\*T\*C(\S+?)(?:C\*)? (\S+)$", alias, re.M):
        if pattern in compatible:
            found.add(module.replace("-", "_"))
    return found


def with_needs(names: Iterable[str], needs: dict[str, list[str]]) -> set[str]:
    """The names, and all that they need, by `needs` (name to names)."""
    kept: set[str] = set()
    todo = list(names)
    while todo:
        name = todo.pop()
        if name not in kept:
            kept.add(name)
            todo += needs.get(name, [])
    return kept


def main(root: Path) -> int:
    (modules,) = (root / "usr/lib/modules").iterdir()
    paths: dict[str, str] = {}
    needs: dict[str, list[str]] = {}
    for line in (modules / "modules.dep").read_text().splitlines():
        path, behind = line.split(":", 1)
        paths[name_of(path)] = path
        needs[name_of(path)] = [name_of(one) for one in behind.split()]
    for line in (modules / "modules.softdep").read_text().splitlines():
        if line.startswith("softdep "):
            _, module, *after = line.replace("-", "_").split()
            needs.setdefault(module, []).extend(one for one in after if not one.endswith(":"))
    trees = [root / f"usr/lib/linux-image-{modules.name}/broadcom/{tree}.dtb" for tree in TREES]
    asked = asked_for(trees, (modules / "modules.alias").read_text())
    patterns = [line.split("#")[0].strip() for line in (HERE / "modules.txt").read_text().splitlines()]
    def matching(patterns: Iterable[str]) -> set[str]:
        found: set[str] = set()
        for pattern in patterns:
            names = {name for name, path in paths.items() if fnmatch.fnmatch(path, f"kernel/{pattern}")}
            if not names:
                raise SystemExit(f"modules.txt: found {pattern}; wanted a pattern that matches a module of {modules.name}")
            found |= names
        return found

    left_out = matching(pattern[1:] for pattern in patterns if pattern.startswith("!"))
    kept = with_needs((matching(pattern for pattern in patterns if pattern[:1] not in ("", "!")) | asked) - left_out, needs)
    before = sum((modules / path).stat().st_size for path in paths.values())
    for name, path in paths.items():
        if name not in kept:
            (modules / path).unlink()
    subprocess.run(["depmod", "-b", str(root), modules.name], check=True)
    folders = tuple(f"kernel/drivers/{one}/" for one in EARLY)
    first = {name for name in asked if paths.get(name, "").startswith(folders)} | (set(EARLY_ALWAYS) & set(paths))
    early = with_needs(first, needs)
    (root / "etc/initramfs-tools/modules").write_text("".join(f"{name}\n" for name in sorted(early & set(paths))))
    after_size = sum((modules / path).stat().st_size for name, path in paths.items() if name in kept)
    print(f"modules: {len(kept & set(paths))} of {len(paths)} stay, {after_size >> 20} of {before >> 20} MiB; "
          f"{len(early & set(paths))} in the initrd")
    return 0


if __name__ == "__main__":
    if len(sys.argv) != 2 or not (Path(sys.argv[1]) / "usr/lib/modules").is_dir():
        raise SystemExit("usage: modules.py ROOT, a Debian root with a kernel")
    raise SystemExit(main(Path(sys.argv[1])))
