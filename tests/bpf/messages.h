/* SPDX-License-Identifier: GPL-2.0-or-later */
/* messages.h - SIP messages that several BPF tests send. */
#ifndef TESTS_BPF_MESSAGES_H
#define TESTS_BPF_MESSAGES_H

#include "kernel_abi.h"

#define MESSAGE_REGISTER \
	"REGISTER sip:example.org SIP/2.0\r\n" \
	"Via: SIP/2.0/UDP 198.51.100.7:40001;branch=z9hG4bK1;rport\r\n" \
	"From: <sip:a@example.org>;tag=1\r\nTo: <sip:a@example.org>\r\n" \
	"Call-ID: 1@198.51.100.7\r\nCSeq: 1 REGISTER\r\nContact: <sip:a@198.51.100.7:40001>\r\n" \
	"Content-Length: 0\r\n\r\n"

/* A response with this status line and CSeq line. */
#define MESSAGE_RESPONSE(status, cseq) \
	"SIP/2.0 " status "\r\n" \
	"Via: SIP/2.0/UDP 198.51.100.7:40001;branch=z9hG4bK1;rport=40001\r\n" \
	"From: <sip:a@example.org>;tag=1\r\nTo: <sip:a@example.org>;tag=2\r\n" \
	"Call-ID: 1@198.51.100.7\r\n" cseq "\r\nContent-Length: 0\r\n\r\n"

/* A prompt of ours, and the answer of a device to it; "token" is a literal. */
#define MESSAGE_PROMPT(token) \
	"OPTIONS sip:a@198.51.100.7:40001 SIP/2.0\r\n" \
	"Via: SIP/2.0/UDP 192.0.2.1:5060;rport;branch=" SIPPATH_BRANCH_PREFIX token "\r\n" \
	"CSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
#define MESSAGE_ANSWER(status, token) \
	"SIP/2.0 " status "\r\n" \
	"Via: SIP/2.0/UDP 192.0.2.1:5060;rport=5060;branch=" SIPPATH_BRANCH_PREFIX token "\r\n" \
	"CSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"

#endif
