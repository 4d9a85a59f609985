/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * table.h - aligned tables: a header line, numbers to the right, two blanks apart.
 *
 * The widths come from the first TABLE_BLOCK_ROWS rows, which are held back until
 * then; later rows can only make a column wider. So a table of a million paths
 * needs little memory. On a terminal, lines are cut at its width.
 */
#ifndef SIPPATH_TABLE_H
#define SIPPATH_TABLE_H

#include <stddef.h>
#include <stdio.h>

#define TABLE_BLOCK_ROWS 1024
#define TABLE_COLUMNS_MAX 16

enum table_alignment { TABLE_LEFT, TABLE_RIGHT };

struct table_column {
	const char *title; /* NULL for none; a table without any has no header line */
	enum table_alignment alignment;
	size_t least; /* its width, at least */
};

struct table;

/*
 * A table that is written to "out"; "columns" outlives it. Lines are cut at "width"
 * characters, 0 for no limit. NULL without memory.
 */
struct table *table_new(FILE *out, const struct table_column *columns, size_t count, size_t width);
void table_free(struct table *table);

/*
 * Adds the next cell, row by row from left to right. Control characters, which a
 * device may have put into its names, are shown as "?": a terminal would obey them.
 */
void table_add(struct table *table, const char *text);

/* Writes what is held back. -ENOMEM if cells were lost on the way; nothing is written without rows. */
int table_flush(struct table *table);

/* The width of the terminal that "out" is, 0 if it is none. */
size_t table_terminal_width(FILE *out);

#endif
