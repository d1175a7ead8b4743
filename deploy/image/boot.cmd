# U-Boot's script on the boot partition (mkimage makes boot.scr of this): takes a slot, counts down its tries, starts it.
# BOOT_ORDER and BOOT_A_LEFT, BOOT_B_LEFT stand twice between the partition table and the first partition, in libubootenv's
# redundant format: crc32 of the data, one byte that counts up, the data. Each write goes to the older copy, so a power
# cut leaves the newer one. Addresses follow kernel_addr_r, for fixed ones lie in used memory on a Pi.
if test -z "${distro_bootpart}"; then setenv distro_bootpart 1; fi
setexpr first ${kernel_addr_r} + 0x7000000
setexpr second ${first} + 0x10000
setexpr work ${first} + 0x20000
setexpr work_data ${work} + 4
setexpr ramdisk_addr_r ${kernel_addr_r} + 0x8000000
setenv good_1; setenv good_2; setenv count_1 0; setenv count_2 0
${devtype} dev ${devnum}

# Is a copy whole? `env import` knows the format without the counting byte, so the copy is moved one byte closer.
if ${devtype} read ${first} 0x800 0x20; then
  setexpr from ${first} + 5; cp.b ${first} ${work} 4; cp.b ${from} ${work_data} 0x3ffb
  if env import -c ${work} 0x3fff BOOT_ORDER BOOT_A_LEFT BOOT_B_LEFT; then
    setenv good_1 yes; setexpr at ${first} + 4; setexpr.b count_1 *${at}
  fi
fi
if ${devtype} read ${second} 0x1000 0x20; then
  setexpr from ${second} + 5; cp.b ${second} ${work} 4; cp.b ${from} ${work_data} 0x3ffb
  if env import -c ${work} 0x3fff BOOT_ORDER BOOT_A_LEFT BOOT_B_LEFT; then
    setenv good_2 yes; setexpr at ${second} + 4; setexpr.b count_2 *${at}
  fi
fi

# The second was imported last. Where the first is the newer one, or the only whole one, its values count.
setexpr next ${count_1} + 1; setexpr next ${next} \& 0xff
setenv newer 1
if test -n "${good_2}"; then
  if test -z "${good_1}" || test 0x${count_2} -eq 0x${next}; then setenv newer 2; fi
fi
if test ${newer} = 1; then
  setexpr from ${first} + 5; cp.b ${first} ${work} 4; cp.b ${from} ${work_data} 0x3ffb
  if test -n "${good_1}"; then env import -c ${work} 0x3fff BOOT_ORDER BOOT_A_LEFT BOOT_B_LEFT; fi
  setenv count ${count_1}; setenv older 0x1000
else
  setenv count ${count_2}; setenv older 0x800
fi
if test -z "${good_1}${good_2}"; then echo "edge-audio: no boot counters, taking the defaults"; fi

test -n "${BOOT_ORDER}" || setenv BOOT_ORDER "A B"
test -n "${BOOT_A_LEFT}" || setenv BOOT_A_LEFT 3
test -n "${BOOT_B_LEFT}" || setenv BOOT_B_LEFT 3
setenv slot
for s in ${BOOT_ORDER}; do
  if test -n "${slot}"; then
    true
  elif test "${s}" = A && test ${BOOT_A_LEFT} -gt 0; then
    setexpr BOOT_A_LEFT ${BOOT_A_LEFT} - 1; setenv slot A; setenv part 2
  elif test "${s}" = B && test ${BOOT_B_LEFT} -gt 0; then
    setexpr BOOT_B_LEFT ${BOOT_B_LEFT} - 1; setenv slot B; setenv part 3
  fi
done
# All tries are used up, or the values make no sense: both slots get three new tries.
if test -z "${slot}"; then
  echo "edge-audio: no slot is left, counting anew"
  if test "${BOOT_ORDER}" != "B A"; then setenv BOOT_ORDER "A B"; fi
  setenv BOOT_A_LEFT 3; setenv BOOT_B_LEFT 3
fi

setexpr count ${count} + 1; setexpr count ${count} \& 0xff
setexpr at ${first} + 4; setexpr to ${first} + 5
mw.b ${first} 0 0x4000; mw.b ${work} 0 0x4000
env export -c -s 0x3fff ${work} BOOT_ORDER BOOT_A_LEFT BOOT_B_LEFT
cp.b ${work} ${first} 4; mw.b ${at} 0x${count}; cp.b ${work_data} ${to} 0x3ffb
${devtype} write ${first} ${older} 0x20
if test -z "${slot}"; then sleep 1; reset; fi

echo "edge-audio: slot ${slot}, order ${BOOT_ORDER}, tries left A ${BOOT_A_LEFT}, B ${BOOT_B_LEFT}"
setenv consoles "console=tty1 console=ttyS1,115200"
if test "${devtype}" = virtio; then setenv consoles "console=ttyAMA0"; fi
setenv bootargs "${consoles} root=PARTUUID=ea0da0d1-0${part} ro rootwait rauc.slot=${slot} panic=5 fsck.repair=yes quiet systemd.show_status=no"
if load ${devtype} ${devnum}:${part} ${kernel_addr_r} /boot/vmlinuz; then
  if load ${devtype} ${devnum}:${part} ${ramdisk_addr_r} /boot/initrd.img; then
    booti ${kernel_addr_r} ${ramdisk_addr_r}:${filesize} ${fdt_addr}
  fi
fi
echo "edge-audio: slot ${slot} does not start"
sleep 1
reset
