/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * reader.h - turns the bytes of a SIP message into facts.
 *
 * It looks at the header part alone, and at no header that nobody needs; a body
 * is never looked at. libosip2 is known to uri.c only.
 */
#ifndef AGENT_SIP_READER_H
#define AGENT_SIP_READER_H

#include "sip/facts.h"

struct sip_reader;

/* Makes a reader; NULL without memory. The caller frees it with sip_reader_free(). */
struct sip_reader *sip_reader_new(void);
void sip_reader_free(struct sip_reader *reader);

/*
 * A cheap look at the start line and, in a response, at the headers up to CSeq: the
 * method that the message is or answers, or SIP_METHOD_OTHER if the agent does not
 * care. SIP_METHOD_MALFORMED if these cannot be read: sip_reader_read() then fails as
 * well. *status gets a response's status code, 0 for a request.
 */
enum sip_method sip_reader_peek(struct span message, uint16_t *status);

/*
 * Reads a message into *facts, whose spans live until the next call. A message
 * that was cut in its body or between two headers is read as far as it goes
 * (trap 41: a first fragment has the headers that matter), and so is one longer
 * than SIGHTING_CAPTURE_MAX; a header cut in two is ignored. Headers that end
 * without the empty line make the facts incomplete; so do Contacts of a response
 * beyond FACTS_CONTACTS_MAX, which are left out: an AOR may have more devices.
 *
 * -EBADMSG if it is malformed: no SIP/2.0 start line, a header that is needed
 * missing (Via, Call-ID, CSeq, From, To), twice where once is allowed, or
 * unreadable; a number out of range; a REGISTER with a Contact that cannot be read or with
 * too many. Any other message has no Contacts then, because its status and tags matter more.
 * -ENOMEM. *facts is undefined after an error.
 *
 * Event, Subscription-State, Session-Expires and the URI of From only refine what the
 * other headers say, so they never cost a message: see refinement.h. One that cannot be
 * read, or is there twice, counts as unstated.
 */
int sip_reader_read(struct sip_reader *reader, struct span message, struct facts *facts);

#endif
