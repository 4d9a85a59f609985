/* SPDX-License-Identifier: GPL-2.0-or-later */
/* questions.h - what was asked of a directory and is not answered yet; see directory.h. */
#ifndef AGENT_CLUSTER_QUESTIONS_H
#define AGENT_CLUSTER_QUESTIONS_H

#include "cluster/directory.h"

/* Embedded in whatever has to be known of the question besides: that is the caller's to free. */
struct directory_question {
	struct directory_questions *among;
	struct directory_question *next;
	struct directory_question **link; /* what points here */
	directory_answered *answered; /* NULL: whoever asked is gone */
	void *asker;
};

struct directory_questions {
	struct directory_question *first;
	size_t count;
};

void questions_put(struct directory_questions *questions, struct directory_question *question,
		   directory_answered *answered, void *asker);

/* It is none of them any more, and nobody is told anything. */
void questions_take(struct directory_question *question);

/* Tells whoever asked, unless they are gone; it stays until it is taken. */
void questions_tell(const struct directory_question *question,
		    const struct directory_answer *answer);

/* Nothing of this asker is answered any more; or of nobody, at the end. */
void questions_forget(struct directory_questions *questions, const void *asker);
void questions_forget_all(struct directory_questions *questions);

#endif
