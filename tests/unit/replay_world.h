/* SPDX-License-Identifier: GPL-2.0-or-later */
/* replay_world.h - what a server's host sees of some phones: a script of sightings. */
#ifndef TESTS_UNIT_REPLAY_WORLD_H
#define TESTS_UNIT_REPLAY_WORLD_H

#include <stdbool.h>

#include "sighting.h"

#define STEPS (sizeof(script) / sizeof(script[0]))

enum place { PHONE, PHONE_MOVED, DESK, OFFICE, PLACES };

static const char *const places[PLACES] = {
	[PHONE] = "udp 192.0.2.1:5060 198.51.100.7:40001",
	[PHONE_MOVED] = "udp 192.0.2.1:5060 198.51.100.7:40002",
	[DESK] = "udp 192.0.2.1:5060 198.51.100.8:5060",
	[OFFICE] = "tcp 192.0.2.1:5060 198.51.100.9:6000",
};

#define PARTIES(from, from_tag, to, to_tag) \
	"From: <sip:" from "@example.org>;tag=" from_tag "\r\nTo: <sip:" to "@example.org>" to_tag \
	"\r\n"
#define HEADERS(call, sequence, branch) \
	"Via: SIP/2.0/UDP 10.0.0.2:5060;branch=z9hG4bK-" branch "\r\nCall-ID: " call \
	"\r\nCSeq: " sequence "\r\n"
#define END "Content-Length: 0\r\n\r\n"
#define CONTACT(user, host) "Contact: <sip:" user "@" host ">;expires=600\r\n"
#define REQUEST(method, rest) method " sip:example.org SIP/2.0\r\n" rest END
#define RESPONSE(status, rest) "SIP/2.0 " status " X\r\n" rest END
#define REGISTRATION(user, host, call, number) \
	HEADERS(call, number " REGISTER", call number) \
	PARTIES(user, "r", user, "") CONTACT(user, host)
#define GONE(user, host, call, number) \
	HEADERS(call, number " REGISTER", call number) \
	PARTIES(user, "r", user, "") "Contact: <sip:" user "@" host ">;expires=0\r\n"
#define CALL(call, number, method, to_tag) \
	HEADERS(call, number " " method, call number method) \
	PARTIES("alice", "a", "bob", to_tag) "Contact: <sip:alice@10.0.0.2>\r\n"
#define RUNG(call, number, method, to_tag) \
	HEADERS(call, number " " method, call number method) \
	PARTIES("bob", "b", "desk", to_tag) "Contact: <sip:desk@10.0.0.8>\r\n"
#define WATCHING(number, method, to_tag) \
	HEADERS("watch", number " " method, "watch" number method) \
	PARTIES("desk", "w", "bob", to_tag) "Event: dialog\r\nContact: <sip:desk@10.0.0.8>\r\n"
#define NOTED(number) \
	HEADERS("watch", number " NOTIFY", "noted" number) \
	PARTIES("bob", "s", "desk", ";tag=w") \
	"Event: dialog\r\nSubscription-State: active;expires=300\r\n"

static const struct step {
	enum place place;
	enum sighting_kind kind;
	bool to_device;
	const char *text;
} script[] = {
#define IN(place, text) \
	{ \
		place, SIGHTING_MESSAGE, false, text \
	}
#define OUT(place, text) \
	{ \
		place, SIGHTING_MESSAGE, true, text \
	}
	IN(PHONE, REQUEST("REGISTER", REGISTRATION("alice", "10.0.0.2", "one", "1"))),
	OUT(PHONE, RESPONSE("401", REGISTRATION("alice", "10.0.0.2", "one", "1"))),
	IN(PHONE, REQUEST("REGISTER", REGISTRATION("alice", "10.0.0.2", "one", "2"))),
	OUT(PHONE, RESPONSE("200", REGISTRATION("alice", "10.0.0.2", "one", "2"))),
	IN(DESK, REQUEST("REGISTER", REGISTRATION("desk", "10.0.0.8", "two", "1"))),
	OUT(DESK, RESPONSE("200", REGISTRATION("desk", "10.0.0.8", "two", "1"))),
	IN(PHONE, REQUEST("INVITE", CALL("talk", "1", "INVITE", ""))),
	OUT(PHONE, RESPONSE("180", CALL("talk", "1", "INVITE", ";tag=b"))),
	OUT(DESK, REQUEST("INVITE", RUNG("ring", "1", "INVITE", ""))),
	IN(DESK, RESPONSE("180", RUNG("ring", "1", "INVITE", ";tag=d"))),
	OUT(PHONE, RESPONSE("200", CALL("talk", "1", "INVITE", ";tag=b"))),
	IN(PHONE, REQUEST("ACK", CALL("talk", "1", "ACK", ";tag=b"))),
	IN(DESK, RESPONSE("200", RUNG("ring", "1", "INVITE", ";tag=d"))),
	IN(DESK, REQUEST("SUBSCRIBE", WATCHING("1", "SUBSCRIBE", "") "Expires: 500\r\n")),
	OUT(DESK, RESPONSE("200", WATCHING("1", "SUBSCRIBE", ";tag=s") "Expires: 500\r\n")),
	OUT(DESK, REQUEST("NOTIFY", NOTED("1"))),
	IN(PHONE, REQUEST("BYE", CALL("talk", "2", "BYE", ";tag=b"))),
	OUT(PHONE, RESPONSE("200", CALL("talk", "2", "BYE", ";tag=b"))),
	IN(PHONE_MOVED, REQUEST("REGISTER", REGISTRATION("alice", "10.0.0.2", "new", "1"))),
	OUT(PHONE_MOVED, RESPONSE("200", REGISTRATION("alice", "10.0.0.2", "new", "1"))),
	IN(PHONE, REQUEST("REGISTER", REGISTRATION("eve", "10.0.0.2", "eve", "1"))),
	OUT(PHONE, RESPONSE("200", REGISTRATION("eve", "10.0.0.2", "eve", "1"))),
	IN(PHONE, REQUEST("REGISTER", GONE("eve", "10.0.0.2", "eve", "2"))),
	OUT(PHONE,
	    RESPONSE("200", HEADERS("eve", "2 REGISTER", "eve2") PARTIES("eve", "r", "eve", ""))),
	{ OFFICE, SIGHTING_OPENED, false, "" },
	IN(OFFICE, REQUEST("REGISTER", REGISTRATION("ofc", "10.0.0.9", "ofc", "1"))),
	OUT(OFFICE, RESPONSE("200", REGISTRATION("ofc", "10.0.0.9", "ofc", "1"))),
	{ OFFICE, SIGHTING_CLOSED, false, "" },
	{ OFFICE, SIGHTING_OPENED, false, "" },
	IN(OFFICE, REQUEST("REGISTER", REGISTRATION("ofc", "10.0.0.9", "again", "1"))),
	OUT(OFFICE, RESPONSE("200", REGISTRATION("ofc", "10.0.0.9", "again", "1"))),
	IN(DESK, REQUEST("REGISTER", REGISTRATION("desk", "10.0.0.8", "two", "2"))),
};

#endif
