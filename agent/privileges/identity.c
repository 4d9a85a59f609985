/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "privileges/identity.h"

#include <errno.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "privileges/capabilities.h"
#include "privileges/handover.h"

#define USER_OF_LAST_RESORT "nobody"

static int take_account(const char *name, struct identity *out)
{
	const struct passwd *account;

	errno = 0;
	account = getpwnam(name);
	if (!account)
		return errno ? -errno : -ENOENT;
	if (strlen(account->pw_name) > IDENTITY_NAME_MAX)
		return -ENAMETOOLONG;
	memcpy(out->name, account->pw_name, strlen(account->pw_name) + 1);
	out->user = account->pw_uid;
	out->group = account->pw_gid;
	out->other = account->pw_uid != geteuid();
	return 0;
}

static int find_default(struct identity *out)
{
	if (take_account(IDENTITY_USER_DEFAULT, out) == 0)
		return 0;
	if (take_account(USER_OF_LAST_RESORT, out) < 0)
		return log_errno(ENOENT,
				 "there is neither a user " IDENTITY_USER_DEFAULT
				 " nor " USER_OF_LAST_RESORT " to work as: make one (`useradd"
				 " --system --user-group " IDENTITY_USER_DEFAULT
				 "`), or name another with --user");
	out->last_resort = true;
	return 0;
}

static int find_named(const char *name, struct identity *out)
{
	int error = take_account(name, out);

	if (error)
		return log_errno(-error, "there is no user '%s' to work as (%s): check --user",
				 name, strerror(-error));
	return 0;
}

static void suggest_user(void)
{
	log_info("works as " USER_OF_LAST_RESORT ", as there is no user " IDENTITY_USER_DEFAULT
		 ": make one of its own (`useradd --system --user-group --no-create-home"
		 " --shell /usr/sbin/nologin " IDENTITY_USER_DEFAULT "`)");
}

/* One who has no name, as in a container, is somebody all the same. */
static int stay(const char *name, struct identity *out)
{
	struct identity wanted;

	*out = (struct identity){ .user = geteuid(), .group = getegid() };
	if (name[0] == '\0')
		return 0;
	if (take_account(name, &wanted) == 0 && !wanted.other)
		return 0;
	return log_errno(EPERM, "only root can start sippathd for another user: leave --user out");
}

int identity_find(const char *name, struct identity *out)
{
	struct identity found = { 0 };
	int error;

	if (geteuid() != 0)
		error = stay(name, &found);
	else if (name[0] == '\0')
		error = find_default(&found);
	else
		error = find_named(name, &found);
	if (!error)
		*out = found;
	return error;
}

/* Whose files a start without a user of its own has left; root's if there is no such account. */
static uid_t last_resort(void)
{
	const struct passwd *account = getpwnam(USER_OF_LAST_RESORT);

	return account ? account->pw_uid : 0;
}

int identity_hand_over(const struct identity *identity, const char *state_dir)
{
	const struct handover to = {
		.name = identity->name,
		.user = identity->user,
		.group = identity->group,
		.former = last_resort(),
	};

	return geteuid() == 0 ? handover_directory(state_dir, &to) : 0;
}

int identity_assume(const struct identity *identity)
{
	uid_t user = geteuid() == 0 ? identity->user : (uid_t)-1;
	int error = capabilities_leave(user, identity->group);

	if (error)
		return log_errno(-error, "cannot give up the privileges of root: %s",
				 strerror(-error));
	if (identity->last_resort)
		suggest_user();
	return 0;
}
