/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * control.h - what the agent and its clients say on the control socket.
 *
 * Included by the agent (surface/control.c) and by tools/. The socket is a Unix
 * stream socket; both sides write JSON documents (RFC 8259), one on a line.
 *
 * A client sends requests, one line of at most CONTROL_REQUEST_MAX bytes each:
 *
 *     {"command": "path", "flow": "udp 192.0.2.1:5060 198.51.100.7:40001"}
 *
 * and reads, for each request in its turn, any number of rows and one end:
 *
 *     {"row": {...}}
 *     {"end": true}                    or     {"error": "no such path: ..."}
 *
 * "events" has no end: a row follows for every event until the client closes its side;
 * nothing else can be asked on that connection.
 *
 * Commands that answer with one document ("status", "stats", "check", "threshold") send
 * one row. A flow is written "TRANSPORT LOCAL REMOTE", as above; an IPv6 address
 * stands in brackets. A remote "IP:PORT" alone names a path if only one has it.
 */
#ifndef SIPPATH_CONTROL_H
#define SIPPATH_CONTROL_H

#define CONTROL_SOCKET_DEFAULT "/run/sippath/sippath.sock"
#define CONTROL_GROUP "sippath" /* its members may open the socket, besides root */
#define CONTROL_REQUEST_MAX 4096

/* X(command, argument or NULL, what it does) */
#define CONTROL_COMMANDS(X) \
	X(status, NULL, "what the agent watches and how it is") \
	X(paths, NULL, "every path that is kept, a row each") \
	X(path, "flow", "one path with its bindings and its kernel entry") \
	X(bindings, NULL, "every binding, a row each") \
	X(events, NULL, "what happens to paths from now on, a row each, without end") \
	X(stats, NULL, "every counter of the programs and of the agent") \
	X(check, NULL, "what is wrong, and every other trouble that there can be") \
	X(prompt, "flow", "prompt one path now") \
	X(threshold, "value", "say the idle threshold, or set it: {\"value\": \"24s\"}") \
	X(cluster, NULL, "the nodes of the set of proxies, a row each") \
	X(where, "aor", "every path of an AOR in the set, newest first, a row each") \
	X(drain, "value", "say whether new calls come here, or set it: {\"value\": \"on\"}") \
	X(order, "order", "tell a node what to do: {\"order\": \"NODE prompt FLOW\"}")

#endif
