/* SPDX-License-Identifier: GPL-2.0-or-later */
/* warden_service.c - the warden's own half: it reads requests as if an attacker had written them. */
#include <errno.h>
#include <linux/capability.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "kernel/connection_hook.h"
#include "kernel/keepalive.h"
#include "privileges/capabilities.h"
#include "privileges/sandbox.h"
#include "privileges/warden_parts.h"

#define PROCESS_NAME "sippathd-warden" /* the kernel keeps 15 bytes of it */

/* No threshold that an option admits lies outside. */
#define THRESHOLD_MIN_NS NS_PER_S
#define THRESHOLD_MAX_NS (3600 * NS_PER_S)

/*
 * To load programs; to attach them; to look into the kernel's structs, as the iterator does; to
 * open programs, maps and links by their ids, for which nothing less will do; and, where the
 * agent was not started by root but was lent these, to get at pins of root's.
 */
static const int capabilities[] = { CAP_BPF, CAP_NET_ADMIN, CAP_PERFMON, CAP_SYS_ADMIN };
static const int capabilities_lent[] = { CAP_BPF, CAP_NET_ADMIN, CAP_PERFMON, CAP_SYS_ADMIN,
					 CAP_DAC_OVERRIDE };

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct service {
	struct attachment *attachment;
	const char *socket_path;
	struct stat socket; /* which one is ours */
	bool kept; /* nothing is to be undone any more */
	int channel;
};

static void mend(struct service *service, struct warden_reply *reply)
{
	reply->error = attach_mend(service->attachment, &reply->repair);
}

static void visit(struct service *service, struct warden_reply *reply)
{
	reply->error = connection_hook_visit(attach_connection_hook(service->attachment));
}

static int set_keepalive(struct service *service, uint64_t threshold_ns)
{
	if (threshold_ns < THRESHOLD_MIN_NS || threshold_ns > THRESHOLD_MAX_NS)
		return -ERANGE;
	if (!keepalive_works(service->attachment))
		return -EOPNOTSUPP;
	return keepalive_set(service->attachment, threshold_ns);
}

/* The successor of an agent that was killed has a socket of its own at the same path. */
static void remove_socket(const struct service *service)
{
	struct stat there;

	if (lstat(service->socket_path, &there) == 0 && there.st_dev == service->socket.st_dev &&
	    there.st_ino == service->socket.st_ino && unlink(service->socket_path))
		log_warning("cannot remove %s: %s", service->socket_path, strerror(errno));
}

/* From now on there is nothing to be tidied up after an agent that was killed. */
static void keep(struct service *service)
{
	service->kept = true;
	if (service->attachment)
		attach_keep(service->attachment);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
}

static void answer(const struct service *service, const struct warden_request *request,
		   struct warden_reply *reply)
{
	reply->verb = request->verb;
	reply->number = request->number;
	reply->connections = keepalive_works(service->attachment);
	/* An agent that does not read its replies is owed none. */
	if (send(service->channel, reply, sizeof(*reply), MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		log_debug("the agent does not listen to its warden: %s", strerror(errno));
}

/* True if the request is one of those about the attachment, and was answered. */
static bool serve_attachment(struct service *service, const struct warden_request *request)
{
	struct warden_reply reply;

	memset(&reply, 0, sizeof(reply));
	if (!service->attachment)
		return false;
	switch (request->verb) {
	case WARDEN_VERB_MEND:
		mend(service, &reply);
		break;
	case WARDEN_VERB_VISIT:
		visit(service, &reply);
		break;
	case WARDEN_VERB_KEEPALIVE:
		reply.error = set_keepalive(service, request->threshold_ns);
		break;
	default:
		return false;
	}
	answer(service, request, &reply);
	return true;
}

/* False if nothing more is to be served. */
static bool serve(struct service *service, const struct warden_request *request, bool *ended)
{
	if (serve_attachment(service, request))
		return true;
	if (request->verb == WARDEN_VERB_KEEP) {
		keep(service);
		return true;
	}
	*ended = request->verb == WARDEN_VERB_END;
	if (!*ended)
		log_error("the warden was asked for what it does not do, and ends: is that"
			  " sippathd, or somebody who got into it?");
	return false;
}

/* True if the agent has asked for the end; false if it has gone, or is not to be trusted. */
static bool serve_all(struct service *service)
{
	struct warden_request request;
	bool ended = false;
	ssize_t length;

	for (;;) {
		length = recv(service->channel, &request, sizeof(request), MSG_TRUNC);
		if (length < 0 && errno == EINTR)
			continue;
		if (length <= 0)
			return false;
		if (length != sizeof(request))
			request.verb = UINT32_MAX;
		if (!serve(service, &request, &ended))
			return ended;
	}
}

static int give_up_privileges(const struct warden_options *options)
{
	int error;

	if (!options->attachment)
		error = capabilities_keep(NULL, 0);
	else if (geteuid() == 0)
		error = capabilities_keep(capabilities, COUNT(capabilities));
	else
		error = capabilities_keep(capabilities_lent, COUNT(capabilities_lent));
	if (error)
		return log_errno(-error, "the warden cannot give up capabilities: %s",
				 strerror(-error));
	return options->sandbox ? sandbox_enter(SANDBOX_WARDEN) : 0;
}

int warden_serve(const struct warden_options *options, int channel)
{
	struct service service = {
		.attachment = options->attachment,
		.socket_path = options->socket_path,
		.channel = channel,
	};
	bool ended = false;

	prctl(PR_SET_NAME, PROCESS_NAME);
	if (lstat(options->socket_path, &service.socket) == 0 && give_up_privileges(options) == 0)
		ended = serve_all(&service);
	if (ended || !service.kept)
		remove_socket(&service);
	/* Undoes what was not kept. */
	attach_close(options->attachment);
	return 0;
}
