/* SPDX-License-Identifier: GPL-2.0-or-later */
/* messages.h - writes the SIP messages of a simulated world. */
#ifndef TESTS_SIM_MESSAGES_H
#define TESTS_SIM_MESSAGES_H

#include <stdbool.h>
#include <stdint.h>

#define MESSAGE_MAX 1500

/* One message. Texts are of the caller; those that are NULL are left out. */
struct message {
	unsigned int status; /* of a response; 0 for a request */
	const char *method;
	unsigned int cseq;
	const char *call_id;
	uint32_t branch; /* the device's Via, which is at the bottom */
	bool relayed; /* the server's Via is above it: it has passed the request on */
	const char *from, *from_tag; /* users */
	const char *to, *to_tag;
	const char *contact; /* the user of the Contact */
	int contact_expires; /* its expires parameter; -1 for none */
	const char *extra; /* further header lines, each with its CRLF */
};

void message_write(const struct message *message, char out[MESSAGE_MAX]);

#endif
