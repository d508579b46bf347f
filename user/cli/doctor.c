/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "user/cli/doctor.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "user/cli/data.h"
#include "user/cli/status.h"
#include "user/util/escape.h"
#include "user/util/json_writer.h"
#include "user/util/say.h"

#define DOCTOR_LINE 1024

static const char *doctor_status_name(enum probe_status status)
{
	switch (status) {
	case PROBE_WORKS:
		return "works";
	case PROBE_MISSING:
		return "missing";
	case PROBE_REFUSED:
		break;
	}
	return "refused";
}

/* --- text -------------------------------------------------------------------------------- */

__attribute__((format(printf, 2, 3))) static void doctor_print(struct out *out, const char *format,
							       ...)
{
	char line[DOCTOR_LINE];
	size_t used;
	va_list args;
	int len;
	char *p;

	va_start(args, format);
	len = vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	if (len < 0)
		return;
	if ((size_t)len >= sizeof(line))
		len = sizeof(line) - 1;
	p = out_room(out, ESCAPE_ROOM(DOCTOR_LINE) + 1);
	p = escape_text(p, line, (size_t)len, DOCTOR_LINE, (struct escape){ .keep_slash = true },
			&used);
	*p++ = '\n';
	out_advance(out, p);
}

static void doctor_text_probe(struct out *out, const struct probe_report *probe)
{
	char why[256] = "";
	size_t used = 0;

	if (probe->error)
		used = (size_t)snprintf(why, sizeof(why), "  %s", errno_symbol(probe->error));
	if (probe->status != PROBE_WORKS && probe->required)
		used += (size_t)snprintf(why + used, sizeof(why) - used, "  required");
	if (probe->status != PROBE_WORKS && probe->loses)
		snprintf(why + used, sizeof(why) - used, "  without it: %s", probe->loses);
	doctor_print(out, "%-10s  %-40s  %s%s", backend_name(probe->backend), probe->name,
		     doctor_status_name(probe->status), why);
}

static void doctor_text_blind(struct out *out, uint32_t blind)
{
	char names[512] = "";
	size_t used = 0;

	for (unsigned int bit = 0; (blind & WIRE_B_ALL) >> bit; bit++)
		if (blind >> bit & 1 && used < sizeof(names))
			used += (size_t)snprintf(names + used, sizeof(names) - used, "%s%s",
						 used ? ", " : "", blind_name(bit));
	if (used)
		doctor_print(out, "It cannot see: %s.", names);
}

static void doctor_text(struct out *out, const struct doctor_report *report)
{
	for (size_t i = 0; i < report->facts_len; i++) {
		const struct fact_report *fact = &report->facts[i];

		doctor_print(out, "%-12s  %-8s  %s", fact->name,
			     fact->good	      ? "ok"
			     : fact->required ? "missing"
					      : "limited",
			     fact->text);
	}
	if (report->probes_len) {
		doctor_print(out, "%s", "");
		doctor_print(out, "%-10s  %-40s  %s", "BACKEND", "PROBE", "STATUS");
	}
	for (size_t i = 0; i < report->probes_len; i++)
		doctor_text_probe(out, &report->probes[i]);
	if (report->probes_len)
		doctor_print(out, "%s", "");
	if (!report->chosen) {
		doctor_print(out, "No backend works: portlife cannot trace here.");
		return;
	}
	doctor_print(out, "portlife would use the %s backend.", backend_name(report->chosen));
	doctor_text_blind(out, report->blind);
}

/* --- JSON: every line has the same keys ---------------------------------------------------- */

struct doctor_line {
	const char *item; /* "fact", "probe", "verdict" */
	const char *name;
	const char *backend;
	const bool *required;
	const char *status;
	const char *error;
	const char *text;
	const char *loses;
	const uint32_t *blind;
};

static void doctor_json_blind(struct json_writer *json, const uint32_t *blind)
{
	json_key(json, "blind");
	if (!blind) {
		json_null(json);
		return;
	}
	json_array_begin(json);
	for (unsigned int bit = 0; (*blind & WIRE_B_ALL) >> bit; bit++) {
		if (*blind >> bit & 1) {
			json_item(json);
			json_string_or_null(json, blind_name(bit));
		}
	}
	json_array_end(json);
}

static void doctor_json_line(struct out *out, const struct doctor_line *line)
{
	struct json_writer json = { .out = out };

	json_object_begin(&json);
	json_key(&json, "type");
	json_put_literal(&json, "\"doctor\"");
	json_key(&json, "item");
	json_string_or_null(&json, line->item);
	json_key(&json, "name");
	json_string_or_null(&json, line->name);
	json_key(&json, "backend");
	json_string_or_null(&json, line->backend);
	json_key(&json, "required");
	if (line->required)
		json_bool(&json, *line->required);
	else
		json_null(&json);
	json_key(&json, "status");
	json_string_or_null(&json, line->status);
	json_key(&json, "errno");
	json_string_or_null(&json, line->error);
	json_key(&json, "text");
	json_string_or_null(&json, line->text);
	json_key(&json, "loses");
	json_string_or_null(&json, line->loses);
	doctor_json_blind(&json, line->blind);
	json_line_end(&json);
}

static void doctor_json(struct out *out, const struct doctor_report *report)
{
	bool works = report->chosen != 0;

	for (size_t i = 0; i < report->facts_len; i++) {
		const struct fact_report *fact = &report->facts[i];

		doctor_json_line(out, &(struct doctor_line){
					      .item = "fact",
					      .name = fact->name,
					      .required = &fact->required,
					      .status = fact->good ? "works" : "missing",
					      .text = fact->text,
				      });
	}
	for (size_t i = 0; i < report->probes_len; i++) {
		const struct probe_report *probe = &report->probes[i];

		doctor_json_line(out,
				 &(struct doctor_line){
					 .item = "probe",
					 .name = probe->name,
					 .backend = backend_name(probe->backend),
					 .required = &probe->required,
					 .status = doctor_status_name(probe->status),
					 .error = probe->error ? errno_symbol(probe->error) : NULL,
					 .loses = probe->loses,
				 });
	}
	doctor_json_line(out, &(struct doctor_line){
				      .item = "verdict",
				      .backend = works ? backend_name(report->chosen) : NULL,
				      .status = works ? "works" : "missing",
				      .blind = works ? &report->blind : NULL,
			      });
}

int doctor_run(const struct options *o)
{
	struct doctor_report report = { .facts_len = 0 };
	struct data data;
	int err;

	signal(SIGPIPE, SIG_IGN);
	err = data_open(&data, o);
	if (err) {
		if (err == -ENOMEM)
			say("out of memory");
		return STATUS_FAILED;
	}
	err = live_doctor(&report);
	if (err) {
		say("doctor: %s", strerror(-err));
		data_close(&data);
		return STATUS_FAILED;
	}
	if (o->json)
		doctor_json(&data.out, &report);
	else
		doctor_text(&data.out, &report);
	if (data_close(&data))
		return STATUS_FAILED;
	return report.chosen ? STATUS_DONE : STATUS_CANNOT;
}
