# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# accounts.sh - users of the lab's own. Source it after lib.sh.

# accounts_up: the user and group sippath, an operator in that group, and a guest; in files that are
# laid over those of the machine for this lab alone.
accounts_up() {
	local file
	mkdir -p "$LAB_LOGS/etc"
	for file in passwd group; do
		grep -vE '^(sippath|operator|guest):' "/etc/$file" >"$LAB_LOGS/etc/$file"
	done
	printf '%s:x:%d:%d::/nonexistent:/usr/sbin/nologin\n' sippath 4242 4242 operator 4243 4243 guest 4244 4244 \
		>>"$LAB_LOGS/etc/passwd"
	printf '%s:x:%d:%s\n' sippath 4242 operator operator 4243 "" guest 4244 "" >>"$LAB_LOGS/etc/group"
	for file in passwd group; do
		chmod 644 "$LAB_LOGS/etc/$file"
		mount --bind "$LAB_LOGS/etc/$file" "/etc/$file"
	done
}

# as USER COMMAND...
as() {
	setpriv --reuid "$1" --regid "$1" --init-groups -- "${@:2}"
}
