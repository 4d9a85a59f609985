/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * phones_message.h - SIP messages as the phones of phones.c read and write them: text that ends with
 * a NUL, headers by their full names, a line for each value, as the lab's proxies write them.
 */
#ifndef PHONES_MESSAGE_H
#define PHONES_MESSAGE_H

#include <netinet/in.h>
#include <stdbool.h>

#define MESSAGE_MAX 4096
#define HEADER_MAX 512
#define WORD_MAX 128

/* Who a phone is. */
struct identity {
	char user[WORD_MAX];
	char host[WORD_MAX]; /* "10.77.0.11:5060" */
	char instance[WORD_MAX]; /* parameters of its Contact, such as +sip.instance; or "" */
};

/* Reads "192.0.2.11" or "192.0.2.11:5060", whatever comes after it. */
bool message_read_endpoint(const char *text, struct sockaddr_in *out);

/* Reads the address that a URI leads to. */
bool message_read_target(const char *uri, struct sockaddr_in *out);

/* Copies the value of a header; "" if it is not there. */
const char *message_header(const char *message, const char *name, char out[HEADER_MAX]);

/* Copies the URI of the Contact; "" if there is none. */
const char *message_contact(const char *message, char out[HEADER_MAX]);

void message_write_register(char out[MESSAGE_MAX], const struct identity *who, unsigned int cseq,
			    unsigned int expires, unsigned int reg_id);

/* "call" tells the calls of a phone apart, whoever they are passed on to. */
void message_write_invite(char out[MESSAGE_MAX], const struct identity *who, unsigned int call,
			  unsigned int cseq, const char *uri, const char *callee);

/* The ACK of the final answer to an INVITE; *to is where that went, and then where the ACK goes. */
bool message_write_ack(char out[MESSAGE_MAX], const char *invite, const char *answer,
		       struct sockaddr_in *to);

/* The 200 to a request. */
void message_write_ok(char out[MESSAGE_MAX], const struct identity *who, const char *request);

#endif
