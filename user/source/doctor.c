// SPDX-License-Identifier: GPL-2.0-or-later
/* Tries every probe of every backend alone, and says what is lost without it. */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "user/source/cgroup.h"
#include "user/source/existing.h"
#include "user/source/families.h"
#include "user/source/live.h"
#include "user/source/probes.h"
#include "user/source/types.h"

static struct fact_report *add_fact(struct doctor_report *r, const char *name, bool good,
				    bool required)
{
	struct fact_report *fact = &r->facts[r->facts_len++];

	fact->name = name;
	fact->good = good;
	fact->required = required;
	return fact;
}

static void look_kernel(struct doctor_report *r)
{
	struct fact_report *fact = add_fact(r, "kernel", true, false);
	struct utsname uts;

	if (!uname(&uts))
		snprintf(fact->text, sizeof(fact->text), "%s %s %s", uts.sysname, uts.release,
			 uts.machine);
}

static void look_privileges(struct doctor_report *r)
{
	struct fact_report *fact = add_fact(r, "privileges", false, true);
	unsigned long long caps = 0;
	FILE *file = fopen("/proc/self/status", "re");
	char line[256];
	/* linux/capability.h: NET_ADMIN 12, SYS_ADMIN 21, PERFMON 38, BPF 39 */
	const unsigned long long need = 1ULL << 12 | 1ULL << 38 | 1ULL << 39, admin = 1ULL << 21;

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "CapEff: %llx", &caps) == 1)
			break;
	if (file)
		fclose(file);
	fact->good = (caps & need) == need || (caps & admin);
	snprintf(fact->text, sizeof(fact->text), "effective capabilities %llx%s", caps,
		 fact->good ? ""
			    : "; needs CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN: run it as root");
}

static void look_btf(struct doctor_report *r)
{
	bool good = !access("/sys/kernel/btf/vmlinux", R_OK);
	struct fact_report *fact = add_fact(r, "btf", good, true);

	snprintf(fact->text, sizeof(fact->text), "/sys/kernel/btf/vmlinux%s",
		 good ? "" : ": not there; the kernel needs CONFIG_DEBUG_INFO_BTF");
}

static void look_lockdown(struct doctor_report *r)
{
	FILE *file = fopen("/sys/kernel/security/lockdown", "re");
	struct fact_report *fact = add_fact(r, "lockdown", true, false);
	char line[128] = "";
	const char *mode;

	if (!file || !fgets(line, sizeof(line), file)) {
		snprintf(fact->text, sizeof(fact->text),
			 "not known: /sys/kernel/security/lockdown cannot be read");
	} else {
		mode = strchr(line, '[');
		fact->good = mode && !strncmp(mode, "[none]", 6);
		line[strcspn(line, "\n")] = '\0';
		snprintf(fact->text, sizeof(fact->text), "%s", line);
	}
	if (file)
		fclose(file);
}

static void look_kprobes(struct doctor_report *r)
{
	bool good = probes_kernel_has_kprobes();
	struct fact_report *fact = add_fact(r, "kprobes", good, false);

	snprintf(fact->text, sizeof(fact->text), "%s",
		 good ? "the kernel has them"
		      : "not there: the kprobe backend needs CONFIG_KPROBE_EVENTS");
}

static void look_cgroup(struct doctor_report *r)
{
	char path[4096];
	struct fact_report *fact;

	cgroup_root(path, sizeof(path));
	fact = add_fact(r, "cgroup2", path[0], false);
	snprintf(fact->text, sizeof(fact->text), "%.180s",
		 path[0] ? path : "not mounted: the tracepoint backend needs it");
}

/* The walks through existing sockets, beside any backend. */
static void look_existing(struct doctor_report *r)
{
	struct fact_report *fact = add_fact(r, "existing", true, false);
	uint32_t walks = existing_used();
	const char *name;
	size_t used = 0;

	for (size_t i = 0; (name = existing_name(i)); i++) {
		int error;

		if (!(walks & 1U << i))
			continue;
		error = existing_try(i);
		fact->good = fact->good && !error;
		used += (size_t)snprintf(fact->text + used, sizeof(fact->text) - used, "%s%s%s%s",
					 used ? ", " : "", name, error ? ": " : "",
					 error ? strerror(-error) : "");
		if (used >= sizeof(fact->text))
			return;
	}
	if (!fact->good)
		snprintf(fact->text + used, sizeof(fact->text) - used,
			 "; sockets from before the start, and losses, are not made good");
}

/* A program whose twin this kernel has is not missing: the two are for different kernels. */
static bool twin_is_there(const struct backend *backend, const struct probe *probe,
			  const enum probe_status *status)
{
	for (size_t i = 0; i < backend->probes_len; i++)
		if (probe->other && !strcmp(backend->probes[i].program, probe->other))
			return status[i] != PROBE_MISSING;
	return false;
}

static void look_backend(struct doctor_report *r, const struct backend *backend)
{
	enum probe_status status[PROBES_MAX];
	int errors[PROBES_MAX];
	bool works = true;
	uint32_t blind = backend->blind;

	for (size_t i = 0; i < backend->probes_len; i++) {
		errors[i] = -probes_try(backend, i);
		status[i] = !errors[i]		  ? PROBE_WORKS
			    : errors[i] == ENOENT ? PROBE_MISSING
						  : PROBE_REFUSED;
	}
	for (size_t i = 0; i < backend->probes_len; i++) {
		const struct probe *probe = &backend->probes[i];

		if (status[i] == PROBE_MISSING && twin_is_there(backend, probe, status))
			continue;
		r->probes[r->probes_len++] = (struct probe_report){
			.backend = backend->id,
			.name = probe->hook,
			.required = probe->required,
			.status = status[i],
			.error = errors[i],
			.loses = probe->loses,
		};
		if (status[i] != PROBE_WORKS) {
			works = works && !probe->required;
			blind |= probe->blind;
		}
	}
	if (works && !r->chosen) {
		r->chosen = backend->id;
		r->blind = blind;
	}
}

static void look_families(struct doctor_report *r)
{
	struct fact_report *fact = add_fact(r, "families", r->chosen != 0, false);

	families_describe(r->chosen, fact->text, sizeof(fact->text));
}

int live_doctor(struct doctor_report *r)
{
	size_t len;
	const struct backend *backends = backends_all(&len);

	memset(r, 0, sizeof(*r));
	look_kernel(r);
	look_privileges(r);
	look_btf(r);
	look_lockdown(r);
	look_kprobes(r);
	look_cgroup(r);
	look_existing(r);
	for (size_t i = 0; i < len; i++)
		look_backend(r, &backends[i]);
	look_families(r);
	types_forget();
	return 0;
}
