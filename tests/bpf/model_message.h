/* SPDX-License-Identifier: GPL-2.0-or-later */
/* model_message.h - the model's reading of a payload: SIP, as far as the programs look. */
#ifndef TESTS_BPF_MODEL_MESSAGE_H
#define TESTS_BPF_MODEL_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MODEL_MESSAGE_MIN 16 /* bytes; no SIP message is shorter */

/* The status code of a response, or 0. Wants MODEL_MESSAGE_MIN bytes, as the next one. */
unsigned int model_message_status(const char *text);

/* True if it begins with a request that the agent has to know. */
bool model_message_is_known_request(const char *text);

/* True if the agent has to know the message. */
bool model_message_is_known(const char *text, size_t length);

/* True if a stream that begins like this is none of SIP that could be read. */
bool model_message_is_opaque(const uint8_t *bytes, size_t length);

/* The token of the prompt that the message is, or answers; 0 for none. */
uint64_t model_message_token(const char *text, size_t length);

#endif
