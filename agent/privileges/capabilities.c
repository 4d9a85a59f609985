/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "privileges/capabilities.h"

#include <cap-ng.h>
#include <errno.h>
#include <sys/prctl.h>

#define UNCHANGED ((uid_t)-1)

/* The library tells no reason; the kernel's is the last that was refused. */
static int reason(void)
{
	return errno ? -errno : -EPERM;
}

/* Without CAP_SETPCAP the bounding set stays; nothing can be gained of it without a program. */
static capng_select_t sets(void)
{
	bool bounds = capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP);

	return bounds ? CAPNG_SELECT_ALL : CAPNG_SELECT_CAPS | CAPNG_SELECT_AMBIENT;
}

static int become(uid_t user, gid_t group)
{
	capng_clear(CAPNG_SELECT_ALL);
	if (capng_change_id((int)user, (int)group,
			    CAPNG_DROP_SUPP_GRP | CAPNG_CLEAR_BOUNDING | CAPNG_CLEAR_AMBIENT) == 0)
		return 0;
	return reason();
}

static int clear(void)
{
	capng_select_t which;

	if (capng_get_caps_process())
		return reason();
	which = sets();
	capng_clear(which);
	return capng_apply(which) ? reason() : 0;
}

int capabilities_leave(uid_t user, gid_t group)
{
	int error;

	errno = 0;
	error = user == UNCHANGED ? clear() : become(user, group);
	if (!error && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		error = -errno;
	if (!error && !capabilities_none())
		error = -EPERM;
	return error;
}

int capabilities_keep(const int *kept, size_t count)
{
	bool had[CAPABILITIES_KEPT_MAX];
	capng_select_t which;

	errno = 0;
	if (capng_get_caps_process())
		return reason();
	which = sets();
	/* Asked before the first is struck out. */
	for (size_t i = 0; i < count && i < CAPABILITIES_KEPT_MAX; i++)
		had[i] = capng_have_capability(CAPNG_PERMITTED, (unsigned int)kept[i]);
	capng_clear(which);
	for (size_t i = 0; i < count && i < CAPABILITIES_KEPT_MAX; i++)
		if (had[i])
			capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED,
				     (unsigned int)kept[i]);
	if (capng_apply(which))
		return reason();
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ? -errno : 0;
}

bool capabilities_none(void)
{
	return capng_get_caps_process() == 0 &&
	       capng_have_capabilities(CAPNG_SELECT_CAPS) == CAPNG_NONE &&
	       capng_have_permitted_capabilities() == CAPNG_NONE;
}
