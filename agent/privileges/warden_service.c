/* SPDX-License-Identifier: GPL-2.0-or-later */
/* warden_service.c - the warden's own half: it reads requests as if an attacker had written them. */
#include <errno.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "kernel/connection_hook.h"
#include "kernel/keepalive.h"
#include "privileges/capabilities.h"
#include "privileges/sandbox.h"
#include "privileges/warden_parts.h"

#define PROCESS_NAME "sippathd-warden" /* the kernel keeps 15 bytes of it */

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
	bool serves;
	bool kept; /* nothing is to be undone any more */
	uint64_t rested_ns; /* no task before */
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
	if (threshold_ns < KEEPALIVE_THRESHOLD_MIN_NS || threshold_ns > KEEPALIVE_THRESHOLD_MAX_NS)
		return log_errno(ERANGE, "the warden was asked for a keepalive that no option"
					 " admits: is that sippathd, or somebody who got into it?");
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

/*
 * From now on there is nothing to be tidied up after an agent that was killed. The signal reaches
 * a warden of the agent's user at once; one that is root ends by the socket, after its task.
 */
static int keep(struct service *service)
{
	service->kept = true;
	if (service->attachment)
		attach_keep(service->attachment);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL))
		return log_errno(errno, "the warden cannot bind its life to sippathd's: %s",
				 strerror(errno));
	return 0;
}

static void answer(const struct service *service, const struct warden_request *request,
		   struct warden_reply *reply)
{
	reply->verb = request->verb;
	reply->number = request->number;
	reply->connections = service->attachment && keepalive_works(service->attachment);
	/* An agent that does not read its replies is owed none. */
	if (send(service->channel, reply, sizeof(*reply), MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		log_debug("the agent does not listen to its warden: %s", strerror(errno));
}

/* As long as it takes: the agent's next request waits in the socket. */
static void rest(const struct service *service)
{
	const struct timespec end = {
		.tv_sec = (time_t)(service->rested_ns / NS_PER_S),
		.tv_nsec = (long)(service->rested_ns % NS_PER_S),
	};

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &end, NULL) == EINTR)
		continue;
}

/* True if the request is one of those about the attachment, and was answered. */
static bool serve_attachment(struct service *service, const struct warden_request *request)
{
	struct warden_reply reply;

	memset(&reply, 0, sizeof(reply));
	if (!service->attachment)
		return false;
	rest(service);
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
	service->rested_ns = clock_now_ns() + WARDEN_PAUSE_NS;
	answer(service, request, &reply);
	return true;
}

static void serve_keep(struct service *service, const struct warden_request *request)
{
	struct warden_reply reply;

	memset(&reply, 0, sizeof(reply));
	reply.error = keep(service);
	answer(service, request, &reply);
}

/* False if nothing more is to be served. */
static bool serve(struct service *service, const struct warden_request *request, bool *ended)
{
	if (serve_attachment(service, request))
		return true;
	if (request->verb == WARDEN_VERB_KEEP) {
		serve_keep(service, request);
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

static int look_at_socket(struct service *service)
{
	if (lstat(service->socket_path, &service->socket) == 0)
		return 0;
	return log_errno(errno, "the warden cannot look at %s: %s", service->socket_path,
			 strerror(errno));
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

/* Whoever has forked it waits for this. */
static void begin(struct service *service)
{
	static const struct warden_request none = { .number = WARDEN_NUMBER_OF_START };
	struct warden_reply reply;

	service->serves = true;
	memset(&reply, 0, sizeof(reply));
	answer(service, &none, &reply);
}

/* What it never began to look after is left to whoever has forked it. */
static void end(struct service *service, bool ended)
{
	if (!service->serves && service->attachment)
		attach_keep(service->attachment);
	if (service->serves && (ended || !service->kept))
		remove_socket(service);
	/* Undoes what was not kept. */
	attach_close(service->attachment);
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
	if (look_at_socket(&service) == 0 && give_up_privileges(options) == 0) {
		begin(&service);
		ended = serve_all(&service);
	}
	end(&service, ended);
	return service.serves ? EXIT_SUCCESS : EXIT_FAILURE;
}
