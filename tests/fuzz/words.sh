# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# words.sh - what a target is started with besides its corpora.

# words NAME: its dictionary; what people would read on standard error is left out.
words() {
	case $1 in
	sip_reader | streams | pipeline | call_message) echo "-dict=$data/sip.dict" ;;
	redis_replies) echo "-dict=$data/redis.dict" ;;
	configuration) echo "-close_fd_mask=3" ;;
	esac
}
