/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>

#include "user/core/hash.h"
#include "user/core/told.h"

struct told {
	struct connection connection;
	UT_hash_handle hh;
};

static struct told *find(struct told *told, const struct connection *connection)
{
	struct told *found;

	HASH_FIND(hh, told, connection, sizeof(*connection), found);
	return found;
}

bool told_has(struct told *told, const struct connection *connection)
{
	return find(told, connection) != NULL;
}

int told_add(struct told **told, const struct connection *connection)
{
	struct told *new;

	if (find(*told, connection))
		return 0;
	new = calloc(1, sizeof(*new));
	if (!new)
		return -ENOMEM;
	new->connection = *connection;
	HASH_ADD(hh, *told, connection, sizeof(new->connection), new);
	if (new->hh.tbl)
		return 0;
	free(new);
	return -ENOMEM;
}

void told_free(struct told **told)
{
	struct told *each = *told, *next;

	HASH_CLEAR(hh, *told);
	for (; each; each = next) {
		next = each->hh.next;
		free(each);
	}
}
