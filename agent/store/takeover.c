/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store/takeover.h"

#include <errno.h>
#include <lmdb.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "store/trial.h"

/* The copy takes the place of what it was made from. */
static bool succeed(const char *path, const char *new_path, struct file *file)
{
	if (file_resume(new_path, file))
		return false;
	if (rename(new_path, path) == 0)
		return true;
	file_close(file);
	return false;
}

static bool is_of_the_system(int error)
{
	return error > 0; /* those of LMDB are not */
}

/* What it is set aside for, as the end of a sentence that begins with its name. */
static void set_aside(const char *path, int error)
{
	char why[256];

	if (is_of_the_system(error))
		snprintf(why, sizeof(why),
			 "is sound as far as is known, but cannot be opened (%s; a limit of memory "
			 "or of files of this service?): mend that, stop sippathd, and give the "
			 "file "
			 "its name back to have its bindings again",
			 strerror(error));
	else if (error == MDB_VERSION_MISMATCH)
		snprintf(why, sizeof(why),
			 "was written by another version of sippathd, which this one cannot read");
	else
		snprintf(why, sizeof(why), "cannot be read (%s)", mdb_strerror(error));
	place_set_aside(path, why);
}

static enum takeover find(const char *path, const struct place *place, struct file *file)
{
	int error = file_find(path, place, file);

	if (!error && !file->other_netns)
		return TAKEOVER_FOUND;
	file_close(file);
	if (!error)
		log_info("the bindings that were remembered are of another network namespace, and "
			 "are dropped");
	else if (error != ENOENT)
		set_aside(path, error);
	return TAKEOVER_NONE;
}

enum takeover takeover(const char *path, const char *new_path, const struct place *place,
		       struct file *file)
{
	enum trial trial;

	*file = (struct file){ 0 };
	if (place_is_no_file(path)) {
		place_set_aside(path, "is no file");
		return TAKEOVER_NONE;
	}
	trial = trial_hold(path, new_path, place);
	if (trial == TRIAL_COPIED && succeed(path, new_path, file))
		return TAKEOVER_DONE;
	unlink(new_path); /* half of a file fills a disk, too */
	if (trial != TRIAL_FAILED)
		return find(path, place, file);
	place_set_aside(path, "is damaged");
	return TAKEOVER_NONE;
}
