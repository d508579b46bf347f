/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * share.h owns what an object of programs beside a backend has in common with it: its maps, its
 * configuration.
 */
#ifndef PORTLIFE_SOURCE_SHARE_H
#define PORTLIFE_SOURCE_SHARE_H

struct bpf_object;

/*
 * Every map of object that other has too is made that one; of the configuration, which each object
 * has a copy of, the content is. other is loaded, object is not. 0 or a negative errno.
 */
int share_maps(struct bpf_object *object, const struct bpf_object *other);

#endif
