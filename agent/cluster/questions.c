/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cluster/questions.h"

void questions_put(struct directory_questions *questions, struct directory_question *question,
		   directory_answered *answered, void *asker)
{
	*question = (struct directory_question){
		.among = questions,
		.next = questions->first,
		.link = &questions->first,
		.answered = answered,
		.asker = asker,
	};
	if (question->next)
		question->next->link = &question->next;
	questions->first = question;
	questions->count++;
}

void questions_take(struct directory_question *question)
{
	*question->link = question->next;
	if (question->next)
		question->next->link = question->link;
	question->among->count--;
}

void questions_tell(const struct directory_question *question,
		    const struct directory_answer *answer)
{
	if (question->answered)
		question->answered(question->asker, answer);
}

void questions_forget(struct directory_questions *questions, const void *asker)
{
	for (struct directory_question *question = questions->first; question;
	     question = question->next)
		if (question->asker == asker)
			question->answered = NULL;
}

void questions_forget_all(struct directory_questions *questions)
{
	for (struct directory_question *question = questions->first; question;
	     question = question->next)
		question->answered = NULL;
}
